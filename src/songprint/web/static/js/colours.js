/** Colours of genres, and of sound levels. */

const GENRES = {
  blues: "#3b82c4",
  classical: "#c9a227",
  country: "#b5651d",
  disco: "#a855c7",
  electronic: "#12a5a5",
  "hip-hop": "#6d4fd1",
  jazz: "#e08a00",
  metal: "#7a828e",
  pop: "#e0558f",
  reggae: "#2f9e58",
  rock: "#d64535",
};
const MORE = ["#5470c6", "#91a83b", "#d17f2e", "#c25576", "#2fa084", "#8a63b8", "#9c6b4e", "#4aa3c7"];
export const UNSURE = "#9aa3af";

/** Return the colour of a genre: one of songprint's has its own, others get one by their name. */
export function colourOf(genre, unsure = false) {
  if (unsure || genre === "other") return UNSURE;
  if (GENRES[genre]) return GENRES[genre];
  let sum = 0;
  for (const letter of genre) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return MORE[sum % MORE.length];
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
