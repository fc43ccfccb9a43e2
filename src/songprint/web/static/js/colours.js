/** Colours of genres, and of sound levels. */

// Those of genre/colours.py, which says how they were chosen; a test compares them.
const GENRES = {
  blues: "#0c82bb",
  classical: "#cfa251",
  country: "#b2684a",
  disco: "#b26eff",
  electronic: "#00c4ee",
  "hip-hop": "#1448e0",
  jazz: "#f09c01",
  metal: "#755453",
  pop: "#a5187e",
  reggae: "#81c28a",
  rock: "#c32e01",
};
export const UNSURE = "#9aa3af";

/** Return the colour of a genre: one of songprint's has its own, others get one by their name. */
export function colourOf(genre, unsure = false) {
  if (unsure || genre === "other") return UNSURE;
  if (GENRES[genre]) return GENRES[genre];
  let sum = 0;
  for (const letter of genre) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  const colours = Object.values(GENRES);
  return colours[sum % colours.length];
}

export const PARTS = {
  beat: "#3b82c4",
  intensity: "#d64535",
  rhythm: "#e08a00",
  timbre: "#6d4fd1",
  genre: "#2f9e58",
};

/** Return red, green and blue, 0 to 255. */
export function rgb(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

// Magma by Nathaniel Smith and Stéfan van der Walt (CC0), at nine points: its lightness rises evenly.
const MAGMA = ["#000004", "#180f3d", "#440f76", "#721f81", "#9e2f7f", "#cd4071", "#f1605d", "#fd9668", "#fcfdbf"];

/** A colour for each level 0 to 255, as bytes of an image. */
export const LEVELS = (() => {
  const points = MAGMA.map(rgb);
  const table = new Uint8ClampedArray(256 * 4);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (points.length - 1);
    const low = Math.min(Math.floor(place), points.length - 2);
    for (let c = 0; c < 3; c++) table[level * 4 + c] = points[low][c] + (place - low) * (points[low + 1][c] - points[low][c]);
    table[level * 4 + 3] = 255;
  }
  return table;
})();
