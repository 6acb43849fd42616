// The connect page. It holds two secrets, both good for this one session only: the link's, which opens once, and the
// ticket that the server gives for it. It writes text by textContent alone, and asks no other host for anything.
"use strict";

const NAMES = {
  PURCHASE_ORDER: "Purchase orders",
  WORK_ORDER: "Work orders",
  VENDOR: "Vendors",
  ITEM: "Items",
  INVENTORY_LEVEL: "Inventory levels",
  ASSET: "Assets",
  LOCATION: "Locations",
};
const HEADLINES = {
  FORM: "Please correct the form",
  CREDENTIALS: "The system refused the sign-in",
  PERMISSION: "The sign-in works, but a permission is missing",
  ADDRESS: "No answer from this address",
  SYSTEM: "The system reported a problem",
  ORGANIZATION: "The system cannot be connected now",
};
const MESSAGE = "crosshead.connect";
const sessionId = location.pathname.split("/")[2] || "";
const kept = `crosshead:${sessionId}`;
const $ = (id) => document.getElementById(id);
const state = { ticket: null, session: null, system: null, fields: [] };

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// A frame of another site may have no storage: then a reload asks for a new link.
function remember(value) {
  try {
    sessionStorage.setItem(kept, JSON.stringify(value));
  } catch {
    /* kept in memory only */
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(kept) || "null");
  } catch {
    return null;
  }
}

async function ask(action, body) {
  const headers = { "Content-Type": "application/json" };
  if (state.ticket) headers["Crosshead-Connect-Ticket"] = state.ticket;
  let response;
  try {
    response = await fetch(`/connect/${sessionId}/${action}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      credentials: "omit",
    });
  } catch {
    return { error: { message: "The server did not answer. Check your connection and try again." } };
  }
  try {
    return await response.json();
  } catch {
    return { error: { message: `The server answered with status ${response.status}.` } };
  }
}

function show(step, title, lead, number) {
  for (const each of ["choose", "enter", "checked"]) $(each).hidden = each !== step;
  $("title").textContent = title;
  $("lead").textContent = lead;
  $("alert").hidden = true;
  $("steps").hidden = !number;
  $("steps").textContent = number ? `Step ${number} of 3` : "";
  document.title = title;
  $("title").focus();
}

function busy(text) {
  $("busy").textContent = text || "";
  for (const button of document.querySelectorAll("button")) button.disabled = Boolean(text);
}

function complain(headline, lines, said) {
  const parts = [element("p", {}, element("strong", { textContent: headline }))];
  for (const line of lines) if (line) parts.push(element("p", { textContent: line }));
  if (said) parts.push(element("p", { className: "said", textContent: `The system said: ${said}` }));
  $("alert").replaceChildren(...parts);
  $("alert").hidden = false;
  $("alert").focus();
}

function failed(answer) {
  const { error, requestId } = answer;
  complain(error.message, [requestId ? `Reference: ${requestId}` : ""]);
}

function ended(message, requestId) {
  for (const each of ["choose", "enter", "checked"]) $(each).hidden = true;
  $("steps").hidden = true;
  $("lead").textContent = "";
  complain(message, [requestId ? `Reference: ${requestId}` : ""]);
}

async function begin() {
  const secret = location.hash.slice(1);
  if (secret) history.replaceState(null, "", location.pathname);
  let opened = remembered();
  if (secret && !opened) {
    opened = await ask("open", { secret });
    if (opened.error) return ended(opened.error.message, opened.requestId);
    remember(opened);
  }
  if (!opened) return ended("This link was opened before, or is incomplete. Ask for a new one.");
  state.ticket = opened.ticket;
  state.session = opened;
  if (opened.known || opened.systems.length === 1) choose(opened.systems[0]);
  else list();
}

function list() {
  const { systems, organization, customer } = state.session;
  show("choose", "Connect your system", `${organization} asks to connect a system of ${customer}. Which one is it?`, 1);
  $("search-box").hidden = systems.length < 8;
  const draw = () => {
    const wanted = $("search").value.trim().toLowerCase();
    const found = systems.filter((each) => `${each.name} ${each.vendor}`.toLowerCase().includes(wanted));
    $("none").hidden = found.length > 0;
    $("systems").replaceChildren(
      ...found.map((each) => {
        const name = element("span", {}, each.name, element("small", { textContent: each.vendor }));
        const button = element("button", { type: "button" }, name, element("span", { className: "tag", textContent: each.category }));
        button.addEventListener("click", () => choose(each));
        return element("li", {}, button);
      }),
    );
  };
  $("search").oninput = draw;
  draw();
}

function choose(system) {
  const known = state.session.known || {};
  state.system = system;
  state.fields = Object.entries(system.form.properties || {})
    .map(([name, schema]) => field(name, schema, system.form, known))
    .filter(Boolean);
  $("fields").replaceChildren(...state.fields.map((each) => each.box));
  fill();
}

function fill() {
  const { known, organization, customer, systems } = state.session;
  const { system } = state;
  const title = known ? `Renew the sign-in to ${system.name}` : `Connect ${system.name}`;
  const lead = known
    ? `${organization} asks for working credentials of this system of ${customer}.`
    : `Enter how ${organization} may reach this system of ${customer}.`;
  show("enter", title, lead, 2);
  $("back").hidden = Boolean(known) || systems.length === 1;
  reveal();
}

// What pydantic writes for `X | None` is a choice of two; the one that is not null is the field's.
function plain(schema, form) {
  const found = (schema.anyOf || []).find((each) => each.type !== "null");
  const of = { ...schema, ...(found || {}) };
  const name = (of.$ref || "").split("/").pop();
  return name && form.$defs ? { ...form.$defs[name], ...of } : of;
}

function field(name, given, form, known) {
  const schema = plain(given, form);
  if (!["string", "integer", "number", "boolean"].includes(schema.type) && !schema.enum) return null;
  const required = (form.required || []).includes(name);
  const id = `field-${name}`;
  const secret = given.writeOnly === true || given.format === "password";
  const help = schema.description ? element("p", { id: `${id}-help`, className: "help", textContent: schema.description }) : null;
  const wrong = element("p", { id: `${id}-wrong`, className: "wrong", hidden: true });
  const described = [help ? help.id : "", wrong.id].join(" ").trim();
  let input;
  if (schema.enum || schema.type === "boolean") {
    const choices = schema.enum || ["true", "false"];
    input = element("select", { id, name, "aria-describedby": described }, ...choices.map((each) => element("option", { value: String(each), textContent: String(each) })));
  } else {
    input = element("input", {
      id,
      name,
      type: secret ? "password" : "text",
      autocomplete: secret ? "off" : name === "username" ? "username" : "off",
      autocapitalize: "none",
      spellcheck: false,
      maxLength: schema.maxLength || 10000,
      "aria-describedby": described,
      "aria-required": required ? "true" : null,
    });
    if (schema.type !== "string") input.inputMode = "numeric";
  }
  const fixed = Object.hasOwn(known, name);
  const start = fixed ? known[name] : schema.default;
  if (start !== undefined && start !== null) input.value = String(start);
  if (fixed && input.tagName === "INPUT") input.readOnly = true;
  const label = element("label", { htmlFor: id }, schema.title || name);
  if (!required && !schema.enum && !given.showWhen) label.append(element("span", { className: "optional", textContent: " (if needed)" }));
  const box = element("div", { className: "field" }, label, secret ? secretly(input, schema.title || name) : input);
  if (help) box.append(help);
  box.append(wrong);
  input.addEventListener("input", () => mark(made, ""));
  input.addEventListener("change", reveal);
  const made = { name, schema, required, input, wrong, box, when: given.showWhen || null };
  return made;
}

function secretly(input, title) {
  const button = element("button", { type: "button", className: "plain", "aria-label": `Show ${title}`, "aria-pressed": "false" }, "Show");
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? "Hide" : "Show";
    button.setAttribute("aria-label", `${hidden ? "Hide" : "Show"} ${title}`);
    button.setAttribute("aria-pressed", String(hidden));
  });
  return element("div", { className: "secret" }, input, button);
}

// A field may be for one choice of another only: `showWhen: {auth_method: "OAUTH2"}`.
function reveal() {
  const values = Object.fromEntries(state.fields.map((each) => [each.name, each.input.value]));
  for (const each of state.fields) {
    each.box.hidden = Boolean(each.when) && Object.entries(each.when).some(([name, value]) => values[name] !== value);
  }
}

function mark(each, text) {
  each.wrong.textContent = text;
  each.wrong.hidden = !text;
  if (text) each.input.setAttribute("aria-invalid", "true");
  else each.input.removeAttribute("aria-invalid");
}

function problem(each) {
  const value = each.input.value.trim();
  if (!value) return each.required ? "This is needed." : "";
  if (!each.schema.pattern) return "";
  try {
    return new RegExp(each.schema.pattern, "u").test(value) ? "" : "This does not have the right form.";
  } catch {
    return ""; // the server judges what this browser cannot
  }
}

function entered() {
  const values = {};
  for (const each of state.fields) {
    if (each.box.hidden) continue;
    const value = each.input.value.trim();
    if (!value) continue;
    const { type } = each.schema;
    values[each.name] = type === "boolean" ? value === "true" : type === "integer" || type === "number" ? Number(value) : value;
  }
  return values;
}

async function check(event) {
  event.preventDefault();
  const seen = state.fields.filter((each) => !each.box.hidden);
  for (const each of seen) mark(each, problem(each));
  const first = seen.find((each) => each.input.getAttribute("aria-invalid"));
  if (first) return first.input.focus();
  $("alert").hidden = true;
  busy(`Asking ${state.system.name} …`);
  const answer = await ask("check", { system: state.system.slug, credentials: entered() });
  busy("");
  if (answer.error) return failed(answer);
  if (answer.failure) return refused(answer.failure);
  report(answer.checked);
}

function refused(failure) {
  const unknown = [];
  for (const [name, text] of Object.entries(failure.fields || {})) {
    const each = state.fields.find((one) => one.name === name);
    if (each) mark(each, text);
    else unknown.push(text);
  }
  complain(HEADLINES[failure.kind] || "That did not work", [failure.message, ...unknown, failure.remedy], failure.sourceMessage);
}

function report(checked) {
  const { organization, customer, known } = state.session;
  show("checked", `${state.system.name} answers`, known ? "The new sign-in works." : `${organization} will be able to read this system of ${customer}.`, 3);
  $("facts").replaceChildren(...Object.entries(checked.facts).map(([name, value]) => element("li", { textContent: `${worded(name)}: ${value}` })));
  $("reads").replaceChildren(
    ...state.system.reads.map((entity) => {
      const name = NAMES[entity] || entity;
      const reason = checked.refused[entity];
      if (!reason) return element("li", { textContent: name });
      return element("li", { className: "no" }, `${name}: the user may not read them`, element("small", { textContent: reason }));
    }),
  );
  $("finish").textContent = known ? "Renew" : "Connect";
}

// signIn → Sign in
function worded(name) {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

async function finish() {
  busy("One moment …");
  const answer = await ask("complete", {});
  busy("");
  if (answer.error) return failed(answer);
  try {
    sessionStorage.removeItem(kept);
  } catch {
    /* there was none */
  }
  state.ticket = null;
  for (const each of state.fields) each.input.value = "";
  const done = { type: MESSAGE, code: answer.code, connectSessionId: answer.connectSessionId };
  const other = window.parent !== window ? window.parent : window.opener;
  show(null, "Done", "You can close this page.", 0);
  if (answer.origin && other) return other.postMessage(done, answer.origin); // no other origin hears it
  if (answer.redirect) location.assign(answer.redirect);
}

$("enter").addEventListener("submit", check);
$("back").addEventListener("click", list);
$("change").addEventListener("click", fill);
$("finish").addEventListener("click", finish);
begin();
