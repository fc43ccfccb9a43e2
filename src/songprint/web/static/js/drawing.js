/** Waveforms, spectrograms and timelines on canvases, sharp on any screen. */

import { LEVELS, UNSURE, colourOf, inkOn } from "./colours.js";
import { clock } from "./dom.js";

/** Return a canvas's context, sized to the pixels that the screen really has, in CSS units. */
export function context(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const drawing = canvas.getContext("2d");
  drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { drawing, width, height };
}

export function theme(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draw a waveform between two times; what has been played is in the accent's colour. */
export function drawWaveform(canvas, signals, { from, to, now = null }) {
  const { drawing, width, height } = context(canvas);
  const { low, high, rms } = signals.waveform;
  drawing.clearRect(0, 0, width, height);
  const middle = height / 2;
  const scale = (height / 2 - 2) / Math.max(0.05, ...high, ...low.map((v) => -v));
  const columns = low.length;
  const played = now === null ? -1 : ((now - from) / (to - from)) * width;
  const [soft, ink, accent] = [theme("--line"), theme("--soft"), theme("--accent")];
  for (let x = 0; x < width; x++) {
    const time = from + (x / width) * (to - from);
    if (time >= signals.seconds || time < 0) continue;
    const column = Math.min(columns - 1, Math.floor((time / signals.seconds) * columns));
    const next = Math.min(columns - 1, Math.floor(((time + (to - from) / width) / signals.seconds) * columns));
    let [least, most, mean] = [low[column], high[column], rms[column]];
    for (let i = column + 1; i <= next; i++) {
      least = Math.min(least, low[i]);
      most = Math.max(most, high[i]);
      mean = Math.max(mean, rms[i]);
    }
    const gone = x <= played;
    drawing.fillStyle = gone ? accent : ink;
    drawing.globalAlpha = gone ? 0.45 : 0.35;
    drawing.fillRect(x, middle - most * scale, 1, Math.max(1, (most - least) * scale));
    drawing.globalAlpha = 1;
    drawing.fillRect(x, middle - mean * scale, 1, Math.max(1, 2 * mean * scale));
  }
  drawing.fillStyle = soft;
  if (played >= 0 && played <= width) head(drawing, played, height, accent);
}

function head(drawing, x, height, colour) {
  drawing.fillStyle = colour;
  drawing.fillRect(x - 1, 0, 2, height);
}

/** Return a spectrogram as an image of its own size, to be drawn again and again. */
export function spectrogramImage(spectrogram) {
  const { columns, bands, data } = spectrogram;
  const levels = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const image = new OffscreenCanvas(columns, bands);
  const drawing = image.getContext("2d");
  const pixels = drawing.createImageData(columns, bands);
  for (let column = 0; column < columns; column++) {
    for (let band = 0; band < bands; band++) {
      const level = levels[column * bands + band] * 4;
      const place = ((bands - 1 - band) * columns + column) * 4;
      for (let c = 0; c < 4; c++) pixels.data[place + c] = LEVELS[level + c];
    }
  }
  drawing.putImageData(pixels, 0, 0);
  return image;
}

const MARKS_HZ = [100, 300, 1000, 3000];

/** Draw a spectrogram between two times, with the play head if there is one. */
export function drawSpectrogram(canvas, signals, image, { from, to, now = null }) {
  const { drawing, width, height } = context(canvas);
  const { start_seconds: start, end_seconds: end, lowest_hz: lowest, highest_hz: highest } = signals.spectrogram;
  drawing.fillStyle = "#05060f";
  drawing.fillRect(0, 0, width, height);
  drawing.imageSmoothingEnabled = true;
  const x = (time) => ((time - from) / (to - from)) * width;
  drawing.drawImage(image, x(start), 0, x(end) - x(start), height);
  drawing.font = "11px system-ui, sans-serif";
  drawing.textBaseline = "middle";
  for (const hz of MARKS_HZ) {
    const y = height * (1 - Math.log(hz / lowest) / Math.log(highest / lowest));
    drawing.fillStyle = "rgba(255,255,255,0.22)";
    drawing.fillRect(0, y, 8, 1);
    drawing.fillStyle = "rgba(0,0,0,0.55)";
    drawing.fillRect(10, y - 8, 40, 16);
    drawing.fillStyle = "rgba(255,255,255,0.85)";
    drawing.fillText(hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, 12, y);
  }
  if (now !== null && x(now) >= 0 && x(now) <= width) head(drawing, x(now), height, "#ffffff");
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** Draw times below a picture. */
export function drawAxis(canvas, { from, to }) {
  const { drawing, width, height } = context(canvas);
  drawing.clearRect(0, 0, width, height);
  drawing.fillStyle = theme("--soft");
  drawing.font = "11px system-ui, sans-serif";
  drawing.textBaseline = "bottom";
  const step = STEPS.find((s) => (s / (to - from)) * width >= 64) ?? 7200;
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const x = ((time - from) / (to - from)) * width;
    drawing.fillRect(x, 0, 1, 4);
    const text = clock(time);
    const wide = drawing.measureText(text).width;
    drawing.fillText(text, Math.min(Math.max(x - wide / 2, 0), width - wide), height);
  }
}

const NAME_PIXELS = 14;

/** Draw the genres along a song as stacked areas, with the names of those that lead; what is unsure is pale and hatched. */
export function drawTimeline(canvas, segments, genres, { from, to, now = null }) {
  const { drawing, width, height } = context(canvas);
  drawing.clearRect(0, 0, width, height);
  const leading = [];
  for (const segment of segments) {
    const left = ((segment.start - from) / (to - from)) * width;
    const right = ((segment.end - from) / (to - from)) * width;
    if (right < 0 || left > width) continue;
    const known = Object.fromEntries(segment.genres.map(({ name, p }) => [name, p]));
    let y = height;
    drawing.globalAlpha = segment.unsure ? 0.4 : 1;
    for (const genre of genres) {
      const tall = (known[genre] ?? 0) * height;
      drawing.fillStyle = colourOf(genre);
      drawing.fillRect(left, y - tall, Math.max(1, right - left - 0.5), tall);
      if (genre === segment.genres[0].name && !segment.unsure) lead(leading, { genre, left, right, top: y - tall, bottom: y });
      y -= tall;
    }
    drawing.fillStyle = UNSURE;
    drawing.globalAlpha = 0.25;
    drawing.fillRect(left, 0, Math.max(1, right - left - 0.5), Math.max(y, 0));
    drawing.globalAlpha = 1;
    if (segment.unsure) hatch(drawing, left, right, height);
  }
  for (const area of leading) nameArea(drawing, area, width);
  if (now !== null) {
    const x = ((now - from) / (to - from)) * width;
    if (x >= 0 && x <= width) head(drawing, x, height, theme("--ink"));
  }
}

/** Go on with the last area of a genre that leads, where it is high enough for its name, or begin one. */
function lead(areas, next) {
  const last = areas.at(-1);
  const [top, bottom] = last ? [Math.max(last.top, next.top), Math.min(last.bottom, next.bottom)] : [0, 0];
  if (last?.genre === next.genre && last.right >= next.left - 1 && bottom - top >= NAME_PIXELS) Object.assign(last, { top, bottom, right: next.right });
  else areas.push(next);
}

function nameArea(drawing, { genre, left, right, top, bottom }, width) {
  drawing.font = "12px system-ui, sans-serif";
  drawing.textBaseline = "middle";
  const [start, end] = [Math.max(left, 0), Math.min(right, width)];
  if (bottom - top < NAME_PIXELS || drawing.measureText(genre).width + 10 > end - start) return;
  drawing.fillStyle = inkOn(colourOf(genre));
  drawing.fillText(genre, start + 5, (top + bottom) / 2);
}

function hatch(drawing, left, right, height) {
  drawing.save();
  drawing.beginPath();
  drawing.rect(left, 0, right - left, height);
  drawing.clip();
  drawing.beginPath();
  // Lines that all stretches share, so that they go on from one to the next.
  for (let x = Math.floor((left - height) / 9) * 9; x < right; x += 9) {
    drawing.moveTo(x, height);
    drawing.lineTo(x + height, 0);
  }
  drawing.strokeStyle = theme("--plot");
  drawing.lineWidth = 1.5;
  drawing.stroke();
  drawing.restore();
}
