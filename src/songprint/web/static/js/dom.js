/** Making elements, without ever parsing text as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** Return an element: `on` holds listeners, other properties become attributes. */
export function h(tag, properties = {}, ...children) {
  return build(document.createElement(tag), properties, children);
}

/** Return an SVG element. */
export function svg(tag, properties = {}, ...children) {
  return build(document.createElementNS(SVG, tag), properties, children);
}

function build(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "value" || name === "checked") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return an icon; it says nothing to a screen reader, the button around it has the label. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  next: "M6 5l9 7-9 7zM16 5h3v14h-3z",
  previous: "M18 5l-9 7 9 7zM5 5h3v14H5z",
  like: "M12 21C5 15 2 12 2 8a5 5 0 0 1 10-1.500A5 5 0 0 1 22 8c0 4-3 7-10 13z",
  skip: "M5 5l8 7-8 7zM13 5l8 7-8 7z",
  never: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 3a7 7 0 0 1 4.200 1.400L6.400 16.200A7 7 0 0 1 12 5zm0 14a7 7 0 0 1-4.200-1.400l9.800-9.800A7 7 0 0 1 12 19z",
  close: "M6.400 5L12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM11 1h2v4h-2zM11 19h2v4h-2zM1 11h4v2H1zM19 11h4v2h-4zM4.200 5.600l1.400-1.400 2.800 2.800L7 8.400zM15.600 17l1.400-1.400 2.800 2.800-1.400 1.400zM4.200 18.400L7 15.600 8.400 17l-2.800 2.800zM15.600 7l2.800-2.800 1.400 1.400L17 8.400z",
  station: "M12 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7.800 7.800L6.300 6.300a8 8 0 0 0 0 11.400l1.500-1.500a6 6 0 0 1 0-8.400zM16.200 7.800l1.500-1.500a8 8 0 0 1 0 11.400l-1.500-1.500a6 6 0 0 0 0-8.400zM4.900 4.900L3.500 3.500a12 12 0 0 0 0 17l1.400-1.400a10 10 0 0 1 0-14.200zM19.100 4.900l1.400-1.400a12 12 0 0 1 0 17l-1.400-1.400a10 10 0 0 0 0-14.200z",
  compare: "M3 4h8v16H3zM13 4h8v16h-8zM15 6v12h4V6z",
  lasso: "M12 3c5 0 9 2.700 9 6s-4 6-9 6c-.900 0-1.800-.100-2.600-.200.300.800.400 1.700 0 2.700-.500 1.400-2 2.500-4.400 3l-.400-2c1.600-.300 2.600-1 2.900-1.700.200-.600 0-1.400-.600-2.400C4.600 13.300 3 11.300 3 9c0-3.300 4-6 9-6zm0 2C8 5 5 6.900 5 9s3 4 7 4 7-1.900 7-4-3-4-7-4z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  microphone: "M12 2a4 4 0 0 0-4 4v6a4 4 0 0 0 8 0V6a4 4 0 0 0-4-4zM5 11v1a7 7 0 0 0 6 6.900V22h2v-3.100A7 7 0 0 0 19 12v-1h-2v1a5 5 0 0 1-10 0v-1z",
  minus: "M5 11h14v2H5z",
  fit: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
};

/** Empty an element and fill it anew. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Give an element a text, if it has another: what stays is not drawn, nor read out, again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Return seconds as m:ss or h:mm:ss. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.floor(Math.max(0, seconds) + 0.5);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Return a count with its noun. */
export function count(n, what) {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}

export const percent = (p) => `${Math.round(100 * p)}%`;

/** Call a function when nothing has happened for a while. */
export function debounced(milliseconds, call) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
}

/** Tell a person something for a few seconds. */
export function note(text, bad = false) {
  const place = document.getElementById("notes");
  const shown = h("div", { class: bad ? "note bad" : "note" }, text);
  place.append(shown);
  setTimeout(() => shown.remove(), bad ? 8000 : 4000);
}

/** Return what a button does on being pressed, with what goes wrong told. */
export function trying(work) {
  return async (event) => {
    try {
      await work(event);
    } catch (error) {
      if (error.name !== "AbortError") note(error.message, true);
    }
  };
}
