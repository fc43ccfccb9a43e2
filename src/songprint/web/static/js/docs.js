/** The API, as the server itself describes it; nothing is fetched from elsewhere. */

import { ask } from "./api.js";
import { fill, h, trying } from "./dom.js";
import { wide } from "./parts.js";

export async function show(page, { signal }) {
  const document = await ask("/openapi.json", { signal });
  const byTag = new Map();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "other";
      byTag.set(tag, [...(byTag.get(tag) ?? []), { path, method, operation }]);
    }
  }
  fill(
    page,
    h("div", { class: "page-head" }, h("h1", {}, "API"), h("a", { class: "button", href: "/openapi.json", target: "_blank", rel: "noopener" }, "OpenAPI document")),
    h("p", {}, document.info.description),
    h("div", { class: "stack" }, [...byTag].map(([tag, operations]) => h("section", { class: "panel" }, h("h2", {}, tag), operations.map((one) => drawOperation(one, document))))),
  );
}

function drawOperation({ path, method, operation }, document) {
  const body = Object.entries(operation.requestBody?.content ?? {})[0];
  const answers = Object.entries(operation.responses).filter(([status]) => status < "400");
  const parameters = operation.parameters ?? [];
  return h(
    "details",
    { class: "operation" },
    h("summary", {}, h("span", { class: "method" }, method.toUpperCase()), h("code", {}, path), h("span", { class: "soft" }, inCode(operation.description.split("\n")[0]))),
    h("p", {}, inCode(operation.description)),
    parameters.length
      ? wide("Parameters", h("table", { class: "plain" }, h("thead", {}, h("tr", {}, ["Parameter", "In", "Type", "What it is"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, parameters.map((p) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, p.name)), h("td", {}, p.in), h("td", {}, typeOf(p.schema)), h("td", {}, p.description ?? ""))))))
      : null,
    body ? [h("h3", {}, `Body: ${body[0]}`), h("pre", {}, shape(body[1].schema, document))] : null,
    answers.map(([status, answer]) => {
      const content = Object.entries(answer.content ?? {})[0];
      return [h("h3", {}, `Answer ${status}${content ? `: ${content[0]}` : ""}`), content?.[1].schema ? h("pre", {}, shape(content[1].schema, document)) : null];
    }),
    method === "get" && !path.includes("{") ? tryIt(path) : null,
  );
}

function tryIt(path) {
  const query = h("input", { type: "text", placeholder: "limit=2", "aria-label": "Query" });
  const answer = h("pre", { class: "hidden", tabindex: 0 });
  const button = h("button", { on: { click: trying(async () => {
    answer.classList.remove("hidden");
    answer.textContent = JSON.stringify(await ask(`${path}?${query.value}`), null, 2).slice(0, 20000);
  }) } }, "Try it");
  return h("div", { class: "stack" }, h("div", { class: "row" }, h("code", {}, `${path}?`), query, button), answer);
}

function typeOf(schema = {}) {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !schema.type) return choices.map(typeOf).filter((t) => t !== "null").join(" or ");
  if (schema.const) return schema.const;
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items)}, repeated`;
  return [schema.type ?? "any"].flat().join(" or ");
}

/** Return a schema as an outline of names and types. */
function shape(schema, document, depth = 0) {
  const indent = "  ".repeat(depth);
  if (schema.$ref) return shape(document.components.schemas[schema.$ref.split("/").pop()], document, depth);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !schema.type) return choices.map((one) => shape(one, document, depth)).join(" or ");
  if (schema.type === "array") return `[${shape(schema.items ?? {}, document, depth)}, …]`;
  if (schema.properties && depth < 4) {
    const lines = Object.entries(schema.properties).map(([name, value]) => `${indent}  ${name}${schema.required?.includes(name) ? "" : "?"}: ${shape(value, document, depth + 1)}`);
    return `{\n${lines.join("\n")}\n${indent}}`;
  }
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") return `{name: ${shape(schema.additionalProperties, document, depth + 1)}}`;
  return typeOf(schema);
}

/** Return a text whose parts between pairs of backticks are code. */
function inCode(text) {
  return text.split("``").map((part, i) => (i % 2 ? h("code", {}, part) : part));
}
