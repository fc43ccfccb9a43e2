/** Draws a hundred thousand points with WebGL, and finds those under the pointer or in a lasso. */

import { UNSURE, colourOf, rgb } from "./colours.js";
import { theme } from "./drawing.js";

const VERTEX = `
attribute vec2 place;
attribute float kind;
uniform vec2 scale;
uniform vec2 shift;
uniform float size;
varying float shownKind;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
  shownKind = kind;
}`;

const FRAGMENT = `
precision mediump float;
varying float shownKind;
uniform sampler2D colours;
uniform float opacity;
uniform vec4 rim;
void main() {
  vec2 off = gl_PointCoord - 0.5;
  float away = length(off);
  if (away > 0.5) discard;
  vec4 colour = texture2D(colours, vec2((shownKind + 0.5) / 256.0, 0.5));
  if (colour.a < 0.5) discard;
  float edge = 1.0 - smoothstep(0.38, 0.5, away);
  vec3 shown = mix(colour.rgb, rim.rgb, rim.a * smoothstep(0.28, 0.38, away));
  gl_FragColor = vec4(shown * opacity * edge, opacity * edge);
}`;

export const UNSURE_KIND = 255;
const CELLS = 128;
/** Points that are smaller would be all rim. */
const RIM_PIXELS = 6;

/** Read what /api/map/points sends. */
export function unpack(buffer, n) {
  const bytes = new Uint8Array(buffer);
  return {
    n,
    x: new Float32Array(buffer, 0, n),
    y: new Float32Array(buffer, 4 * n, n),
    kind: bytes.subarray(8 * n, 9 * n),
    ids: bytes.subarray(9 * n),
  };
}

export function idOf(points, i) {
  let id = "";
  for (const byte of points.ids.subarray(16 * i, 16 * i + 16)) id += byte.toString(16).padStart(2, "0");
  return id;
}

/** Points in cells, so that the nearest is found without looking at all. */
export class Index {
  constructor(points) {
    this.points = points;
    const { x, y, n } = points;
    this.box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
    for (let i = 0; i < n; i++) {
      this.box.left = Math.min(this.box.left, x[i]);
      this.box.right = Math.max(this.box.right, x[i]);
      this.box.bottom = Math.min(this.box.bottom, y[i]);
      this.box.top = Math.max(this.box.top, y[i]);
    }
    this.wide = Math.max((this.box.right - this.box.left) / CELLS, 1e-9);
    this.tall = Math.max((this.box.top - this.box.bottom) / CELLS, 1e-9);
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    const cells = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = this.cell(x[i], y[i]);
      this.starts[cells[i] + 1]++;
    }
    for (let c = 0; c < CELLS * CELLS; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    this.rows = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.rows[next[cells[i]]++] = i;
  }

  column(x) {
    return Math.min(CELLS - 1, Math.max(0, Math.floor((x - this.box.left) / this.wide)));
  }

  line(y) {
    return Math.min(CELLS - 1, Math.max(0, Math.floor((y - this.box.bottom) / this.tall)));
  }

  cell(x, y) {
    return this.line(y) * CELLS + this.column(x);
  }

  /** Call for each point in a box. */
  each(left, right, bottom, top, call) {
    for (let line = this.line(bottom); line <= this.line(top); line++) {
      for (let column = this.column(left); column <= this.column(right); column++) {
        const cell = line * CELLS + column;
        for (let k = this.starts[cell]; k < this.starts[cell + 1]; k++) call(this.rows[k]);
      }
    }
  }

  /** Return the nearest point that is shown within a reach, or -1. */
  nearest(x, y, reach, shown) {
    let [best, least] = [-1, reach * reach];
    this.each(x - reach, x + reach, y - reach, y + reach, (i) => {
      const away = (this.points.x[i] - x) ** 2 + (this.points.y[i] - y) ** 2;
      if (away <= least && shown(this.points.kind[i])) [best, least] = [i, away];
    });
    return best;
  }

  /** Return the points that are shown inside a polygon of [x, y]. */
  inside(polygon, shown) {
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    const found = [];
    this.each(Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys), (i) => {
      if (shown(this.points.kind[i]) && isInside(this.points.x[i], this.points.y[i], polygon)) found.push(i);
    });
    return found;
  }
}

function isInside(x, y, polygon) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Draws points on a canvas; the same methods with WebGL, or, where there is none, without. */
export class Drawer {
  constructor(canvas, points, genres) {
    this.canvas = canvas;
    this.points = points;
    this.genres = genres;
    this.off = new Set();
    this.alone = null; // a genre that is looked at
    this.gl = canvas.getContext("webgl", { antialias: false, preserveDrawingBuffer: true });
    if (this.gl) this.prepare();
  }

  colour(kind) {
    return kind === UNSURE_KIND ? UNSURE : colourOf(this.genres[kind]);
  }

  shown = (kind) => (this.alone === null ? !this.off.has(kind) : kind === this.alone);

  prepare() {
    const { gl, points } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    const places = new Float32Array(2 * points.n);
    // The first genres would lie below the last ones: an order by chance gives each its share.
    const order = new Uint32Array(points.n).map((_, i) => i);
    let seed = 1;
    for (let i = points.n - 1; i > 0; i--) {
      seed = (seed * 48271) % 2147483647;
      const j = seed % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const kinds = new Uint8Array(points.n);
    order.forEach((row, i) => {
      places[2 * i] = points.x[row];
      places[2 * i + 1] = points.y[row];
      kinds[i] = points.kind[row];
    });
    this.attribute(program, "place", places, 2, gl.FLOAT);
    this.attribute(program, "kind", kinds, 1, gl.UNSIGNED_BYTE);
    this.where = Object.fromEntries(["scale", "shift", "size", "opacity", "rim"].map((name) => [name, gl.getUniformLocation(program, name)]));
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.recolour();
  }

  attribute(program, name, values, size, type) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    const place = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, false, 0, 0);
  }

  /** Take note of what is shown. */
  recolour() {
    if (!this.gl) return;
    const table = new Uint8Array(256 * 4);
    for (let kind = 0; kind < 256; kind++) {
      const known = kind < this.genres.length || kind === UNSURE_KIND;
      table.set([...(known ? rgb(this.colour(kind)) : [0, 0, 0]), known && this.shown(kind) ? 255 : 0], kind * 4);
    }
    const { gl } = this;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  }

  /** Draw with a view: the middle, and pixels a unit. Fewer points are drawn larger. */
  draw(view, most = this.points.n) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const few = Math.sqrt(20000 / Math.max(this.points.n, 1));
    const larger = (this.points.n / Math.max(most, 1)) ** 0.25;
    const size = larger * Math.min(14, Math.max(2.2, 4.5 * Math.min(few, 2) * Math.sqrt(view.zoom)));
    if (!this.gl) {
      this.drawFlat(view, size, ratio, Math.ceil(this.points.n / Math.max(most, 1)));
      return;
    }
    const { gl, where } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const scale = [(2 * view.pixels) / width, (2 * view.pixels) / height];
    gl.uniform2f(where.scale, ...scale);
    gl.uniform2f(where.shift, -view.x * scale[0], -view.y * scale[1]);
    gl.uniform1f(where.size, size * ratio);
    gl.uniform1f(where.opacity, this.points.n > 20000 ? 0.7 : 0.85);
    // A rim of the ink's colour stands out from the ground where a point's own colour hardly does.
    gl.uniform4f(where.rim, ...rgb(theme("--ink")).map((c) => c / 255), size >= RIM_PIXELS ? 0.5 : 0);
    gl.drawArrays(gl.POINTS, 0, most); // their order is by chance: the first are a fair sample
  }

  drawFlat(view, size, ratio, step) {
    const drawing = this.canvas.getContext("2d");
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawing.clearRect(0, 0, width, height);
    for (let i = 0; i < this.points.n; i += step) {
      if (!this.shown(this.points.kind[i])) continue;
      const x = width / 2 + (this.points.x[i] - view.x) * view.pixels;
      const y = height / 2 - (this.points.y[i] - view.y) * view.pixels;
      if (x < 0 || y < 0 || x > width || y > height) continue;
      drawing.fillStyle = this.colour(this.points.kind[i]);
      drawing.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }
}
