/** Recording from the microphone, with its level while it lasts. */

const TICK_MS = 50;

/** Why there is no recording, in words for a person. */
export class Unheard extends Error {}

/**
 * Record for some seconds and return a Blob.
 *
 * `onTick` is told the level (0 to 1 of full scale, the peak) and how many seconds are left, twenty
 * times a second; `signal` ends it without a recording.
 */
export async function record(seconds, onTick, signal) {
  const stream = await opened();
  const context = new AudioContext();
  try {
    const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128000 });
    const pieces = [];
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    const meter = context.createAnalyser();
    meter.fftSize = 2048;
    context.createMediaStreamSource(stream).connect(meter);
    recorder.start();
    const lost = await measured(meter, seconds, onTick, stream, signal);
    recorder.stop();
    await stopped;
    signal?.throwIfAborted();
    if (lost) throw new Unheard("The microphone was taken away while listening.");
    return new Blob(pieces, { type: recorder.mimeType });
  } finally {
    for (const track of stream.getTracks()) track.stop(); // the browser's red dot goes out
    context.close();
  }
}

/** Tell the level until the time is over; return whether the microphone has gone. */
function measured(meter, seconds, onTick, stream, signal) {
  const wave = new Float32Array(meter.fftSize);
  const began = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const left = seconds - (performance.now() - began) / 1000;
      meter.getFloatTimeDomainData(wave);
      onTick(wave.reduce((most, x) => Math.max(most, Math.abs(x)), 0), Math.max(0, left));
      const lost = stream.getTracks().every((track) => track.readyState === "ended");
      if (left > 0 && !lost && !signal?.aborted) return;
      clearInterval(timer);
      resolve(lost);
    }, TICK_MS);
  });
}

async function opened() {
  if (!navigator.mediaDevices?.getUserMedia || !("MediaRecorder" in globalThis)) {
    throw new Unheard(
      globalThis.isSecureContext
        ? "This browser cannot record."
        : "Browsers lend the microphone only to pages of this machine (localhost) or over https. Drop a clip instead.",
    );
  }
  try {
    // What makes speech clearer makes music worse.
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio: plain });
  } catch (error) {
    throw new Unheard(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
}

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the microphone. Allow it beside the address, and listen again.",
  NotFoundError: "There is no microphone here. Drop a clip instead.",
  NotReadableError: "Another program holds the microphone.",
};
