/** Colours of genres, and of sound levels. */

// Those of genre/colours.py, which says how they were chosen; a test compares them.
const GENRES = {
  blues: "#0b83ff",
  classical: "#c2c096",
  country: "#a38177",
  disco: "#7f7198",
  electronic: "#1ecaff",
  "hip-hop": "#5700f8",
  jazz: "#f5b126",
  metal: "#93120b",
  pop: "#6f2f6f",
  reggae: "#0d634e",
  rock: "#e84200",
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

/** Those of kinship's parts, chosen like those of genres; a test measures how far apart they are. */
export const PARTS = {
  beat: "#005f64",
  intensity: "#a12607",
  rhythm: "#dd8b0e",
  timbre: "#965fff",
  genre: "#4ebdae",
};

/** Return red, green and blue, 0 to 255. */
export function rgb(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/** Return the ink, black or white, that is read more easily on a colour (WCAG 2's contrast). */
export function inkOn(hex) {
  const [r, g, b] = rgb(hex).map((c) => (c <= 10 ? c / 3295 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
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
