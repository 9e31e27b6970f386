// Brings the page of a lesson to life: its panels, drawn by the very widgets of the notebook, with answers recorded when the
// page was built in place of a kernel; its diagrams; and what depends on the width of the page.

const lesson = globalThis.kitLesson ?? { panels: {} };

// ---------------------------------------------------------------- a stand-in for the widgets' model

function standIn({ state, recorded }) {
  const traits = { ...state }, listeners = {};
  let pending = new Set();
  const model = {
    get: (name) => (name === "reply" ? unpacked(traits.reply) : traits[name]),
    set: (name, value) => { traits[name] = value; pending.add(name); },
    on: (event, listener) => { (listeners[event] ??= []).push(listener); },
    off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
    tell: (name, value) => { traits[name] = value; for (const listener of listeners[`change:${name}`] ?? []) listener(); },
    save_changes: () => {
      const changed = pending;
      pending = new Set();
      for (const name of changed) answers[name]?.(traits[name]);
    },
  };
  const answers = {
    request: (request) => {
      const reply = state.kind === "explorer" ? looked(state, recorded, request.values) : judged(recorded, request.said);
      model.tell("reply", { ...reply, serial: request.serial });
    },
    chosen: ({ service, region }) => model.tell("page", recorded[service][region]),
  };
  return model;
}

// The widgets take a figure as JSON; on the page it is made of parts that figures share.
function unpacked(reply) {
  return reply?.figure ? { ...reply, figure: JSON.stringify(whole(reply.figure)) } : reply;
}

function whole(thing) {
  if (Array.isArray(thing)) return thing.map(whole);
  if (thing === null || typeof thing !== "object") return thing;
  if ("$" in thing) return whole(lesson.parts[thing.$]);
  return Object.fromEntries(Object.entries(thing).map(([name, value]) => [name, whole(value)]));
}

// ---------------------------------------------------------------- recorded answers

const MISSING = "This page has no picture for these settings together. Reset, or open the lesson live, where all go together.";

function looked({ spec, reply: start }, tables, values) {
  const moved = Object.keys(values).filter((name) => values[name] !== start.values[name]);
  const table = tables.find(({ controls }) => moved.every((name) => controls.includes(name)));
  if (!table) return { error: MISSING, code: "open the lesson live to run it", values };
  return table.controls.reduce((answers, name) => answers[position(spec.controls.find((one) => one.name === name), values[name])],
                               table.answers);
}

function position({ type, low, step }, value) {
  return type === "range" ? Math.round((value - low) / step) : Number(value);
}

function judged(recorded, said) {
  if (typeof said === "string") return recorded[said];
  const { low, high, answer, within, right, wrong } = recorded;
  if (!(said >= low && said <= high)) return { right: null, told: `Give a number from ${low.toLocaleString("en")} to ${high.toLocaleString("en")}.` };
  const near = Math.abs(said - answer) <= within * Math.abs(answer);
  const shown = said.toLocaleString("en", Number.isInteger(said) ? {} : { maximumSignificantDigits: 3 }); // as Python does
  return { right: near, told: (near ? right : wrong).replace("{said}", shown) };
}

// ---------------------------------------------------------------- panels

function draw(place) {
  const panel = lesson.panels[place.dataset.panel];
  const el = document.createElement("div");
  const model = standIn(panel);
  const note = place.querySelector(":scope > .live");
  place.replaceChildren(el, ...(note ? [note] : []));
  if (note) backFrom(note, panel, model);
  globalThis.kitWidgets[panel.widget].render({ model, el });
  place.dataset.drawn = "true";
}

// Below an explorer stands which settings this page has, and a button that leads back to where it began.
function backFrom(note, { state }, model) {
  const reset = note.querySelector("button");
  reset.hidden = false;
  reset.onclick = () => model.tell("reply", { ...state.reply, serial: null }); // as when Python moves a control: no serial
}

// plotly.js is a script of the page, so nobody has to wait for a carrier.
globalThis.kitPlotly = { promise: Promise.resolve(globalThis.Plotly), ready: () => {}, loading: true };

const dark = matchMedia("(prefers-color-scheme: dark)");
const themed = () => { document.body.dataset.jpThemeLight = String(!dark.matches); }; // what the widgets watch
themed();
dark.addEventListener("change", themed);
for (const place of document.querySelectorAll("[data-panel]")) draw(place);

// ---------------------------------------------------------------- diagrams

async function diagrams() {
  const all = [...document.querySelectorAll("pre.mermaid")].map((box) => ({ box, text: box.textContent }));
  const source = document.querySelector("main").dataset.diagrams;
  if (!source) return;
  const script = document.createElement("script");
  script.src = source;
  await new Promise((resolve, reject) => { script.onload = resolve; script.onerror = reject; document.head.append(script); });
  const paint = async () => {
    const css = getComputedStyle(document.body), colour = (name) => css.getPropertyValue(`--${name}`).trim();
    const [ink, line, paper, tint] = ["ink", "quiet", "paper", "tint"].map(colour);
    globalThis.mermaid.initialize({
      startOnLoad: false, securityLevel: "strict", fontFamily: css.fontFamily, theme: "base",
      flowchart: { wrappingWidth: 400, subGraphTitleMargin: { top: 0, bottom: 24 } },
      themeVariables: { darkMode: dark.matches, background: paper, fontFamily: css.fontFamily, lineColor: line, textColor: ink,
                        primaryColor: tint, primaryTextColor: ink, primaryBorderColor: colour("accent"), clusterBkg: paper,
                        clusterBorder: line, titleColor: ink, edgeLabelBackground: paper },
    });
    for (const [number, { box, text }] of all.entries()) {
      const { svg } = await globalThis.mermaid.render(`diagram-${number}`, text);
      box.innerHTML = svg;
      box.classList.add("drawn");
      box.dataset.scheme = dark.matches ? "dark" : "light";
    }
  };
  await paint();
  dark.addEventListener("change", paint);
}
diagrams();

// ---------------------------------------------------------------- what is wider than the page

// Who has no mouse scrolls with the arrow keys, and needs the focus there: but only where there is something to scroll.
const scrollable = new ResizeObserver((boxes) => {
  for (const { target } of boxes) {
    if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".code pre, .printed, .shown, pre.mermaid")) scrollable.observe(box);

const contents = document.querySelector("details.contents");
if (contents && !matchMedia("(min-width: 70rem)").matches) contents.open = false;
