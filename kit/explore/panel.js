// Draws the kit's panels: figures, explorers, steppers and predictions. Native controls, so that every one
// has a label and a keyboard; one live line of text says what a picture shows. Python does the thinking.
// Its None comes as null, but from a kernel in the page itself as undefined: "== null" is both.

const PATIENCE = 4000; // milliseconds without an answer, after which the learner is told
const SILENT = "No answer from the kernel yet: it is busy, or it was restarted. If it was restarted, run the first cell, then this one.";

function plotly() {
  if (!globalThis.kitPlotly) {
    let ready;
    const promise = new Promise((resolve) => { ready = resolve; });
    globalThis.kitPlotly = { promise, ready, loading: false };
  }
  return globalThis.kitPlotly.promise;
}

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node && !name.startsWith("aria")) node[name] = value;
    else node.setAttribute(name, value);
  }
  // JupyterLab takes arrow keys and letters for the notebook unless the focused element itself says not to
  if (["input", "select", "button"].includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

let count = 0;
const name = () => `kit-${++count}-${Math.round(performance.now())}`;

// ---------------------------------------------------------------- figures

function figureBox(waits = () => false) {
  const title = make("p", { className: "kit-title", id: name() });
  const plot = make("div", { className: "kit-plot", role: "img" });
  const box = make("figure", { className: "kit-figure", "aria-labelledby": title.id, "aria-busy": "true" }, title, plot);
  let drawn = null, last = null, margin = null, room = null, width = 0;

  const colours = () => {
    const css = getComputedStyle(document.body);
    const of = (variable, otherwise) => css.getPropertyValue(variable).trim() || otherwise;
    return { font: of("--jp-content-font-family", "sans-serif"), text: of("--jp-content-font-color1", "#222"), grid: of("--jp-border-color2", "#ccc"),
             page: of("--jp-layout-color0", "#fff") };
  };

  const mark = () => box.setAttribute("aria-busy", waits());

  const draw = (Plotly) => {
    const { data, layout } = JSON.parse(last.figure);
    const { font, text, grid, page } = colours();
    title.textContent = layout.title?.text ?? "";
    plot.setAttribute("aria-label", last.says);
    delete layout.title;
    layout.autosize = true; // the width is the page's; the height is the figure's own
    layout.height ??= layout.template?.layout?.height ?? 360;
    plot.style.height = `${layout.height}px`; // plotly takes the height of its box when the page's width changes
    layout.font = { ...layout.font, color: text, family: font, size: 13 };
    layout.hoverlabel = { bgcolor: page, font: { color: text } };
    if (margin) layout.margin = margin;
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key)).concat("xaxis", "yaxis")) {
      layout[axis] = { ...layout[axis], gridcolor: grid, linecolor: grid, tickcolor: grid, zerolinecolor: grid };
      if (margin) layout[axis].automargin = false;
    }
    layout.datarevision = (drawn ?? 0) + 1;
    drawn = layout.datarevision;
    return Plotly.react(plot, data, layout, { displayModeBar: false });
  };

  // Pixels from the labels to each edge of the picture.
  const space = () => {
    const edge = plot.getBoundingClientRect();
    const labels = [...plot.querySelectorAll("[class*=axislayer-], .infolayer > [class*=title], .legend")]
      .map((node) => node.getBoundingClientRect()).filter((box) => box.width);
    return [Math.min(...labels.map((box) => box.left)) - edge.left, edge.right - Math.max(...labels.map((box) => box.right)),
            edge.bottom - Math.max(...labels.map((box) => box.bottom))];
  };

  // plotly finds the margins that the labels need by drawing twice, half of the time of a picture: those it found
  // serve the next pictures too, as long as the labels fit and leave no gap.
  const paint = async () => {
    box.setAttribute("aria-busy", "true");
    const Plotly = await plotly();
    if (!last) return;
    if (margin && plot.offsetWidth === width) {
      await draw(Plotly);
      if (space().every((pixels, side) => pixels >= Math.min(0, room[side]) && pixels <= room[side] + 24)) return mark();
    }
    margin = null;
    await draw(Plotly);
    width = plot.offsetWidth;
    if (width) {
      const { l, r, t, b } = plot._fullLayout._size;
      margin = { l, r, t, b };
      room = space();
    }
    mark();
  };
  const show = (reply) => { last = reply; return paint(); };

  const resize = new ResizeObserver(() => { if (drawn && plot.offsetWidth && plot.offsetWidth !== width) paint(); });
  resize.observe(box);
  const theme = new MutationObserver(() => paint());
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  const close = () => { resize.disconnect(); theme.disconnect(); if (drawn) globalThis.Plotly.purge(plot); };
  return { box, show, mark, close };
}

function figure(model, el) {
  const { box, show, close } = figureBox();
  const says = make("figcaption", { className: "kit-says" }, model.get("reply").says);
  box.append(says);
  el.append(box);
  show(model.get("reply"));
  return close;
}

// ---------------------------------------------------------------- explorers

function explorer(model, el) {
  const { box, show, mark, close } = figureBox(() => asked !== null);
  const values = {}, setters = {};
  let serial = model.get("request").serial ?? 0;
  let asked = null, again = false, timer = null;

  const note = make("p", { className: "kit-error", role: "alert" });
  const says = make("p", { className: "kit-says", "aria-live": "polite" });
  const code = make("code");
  const copy = make("button", { type: "button", className: "kit-copy" }, "Copy");
  copy.onclick = async () => {
    try { await navigator.clipboard.writeText(code.textContent); copy.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(code); copy.textContent = "Press Ctrl+C"; }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  };

  const ask = () => {
    if (asked !== null) { again = true; return; } // the newest wish wins; the ones between are skipped
    asked = ++serial;
    clearTimeout(timer);
    timer = setTimeout(() => { // the controls have moved on, the picture has not: that is said, and seen
      asked = null;
      note.textContent = `${SILENT} Until then the picture is that of the settings before.`;
      el.classList.add("kit-stale");
      mark();
    }, PATIENCE);
    mark();
    model.set("request", { serial, values: { ...values } });
    model.save_changes();
  };

  const controls = make("div", { className: "kit-controls" });
  for (const control of model.get("spec").controls) {
    const node = { range: slider, choice: select, tick: tickBox }[control.type](control);
    values[control.name] = node.read();
    setters[control.name] = node.write;
    node.input.addEventListener("input", () => { values[control.name] = node.read(); node.echo?.(); ask(); });
    controls.append(node.label);
  }

  const answer = () => {
    const reply = model.get("reply");
    if (reply.serial == null || asked === null) {
      for (const [key, value] of Object.entries(reply.values ?? {})) { setters[key](value); values[key] = value; }
    }
    if (reply.serial === asked) { asked = null; clearTimeout(timer); }
    note.textContent = reply.error ?? "";
    code.textContent = reply.code;
    el.classList.toggle("kit-stale", Boolean(reply.error));
    if (!reply.error) { says.textContent = reply.says; show(reply); }
    if (asked === null && again) { again = false; ask(); }
    else if (reply.error) mark();
  };
  model.on("change:reply", answer);
  el.append(controls, note, box, says,
            make("div", { className: "kit-code" }, make("span", {}, "This run in code: "), code, copy));
  answer();
  return () => { clearTimeout(timer); model.off("change:reply", answer); close(); };
}

function slider({ label, low, high, step, value, whole }) {
  const digits = whole ? 0 : Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const input = make("input", { type: "range", id: name() });
  Object.assign(input, { min: low, max: high, step, value }); // bounds first, or the browser clips the value
  const output = make("output", { htmlFor: input.id });
  const read = () => Number(input.value);
  const shown = { minimumFractionDigits: Math.min(digits, 6), maximumFractionDigits: Math.min(digits, 6) };
  const echo = () => { output.textContent = read().toLocaleString("en", shown); };
  echo();
  return { input, read, echo, write: (to) => { input.value = to; echo(); },
           label: make("label", { htmlFor: input.id }, make("span", {}, label, " ", output), input) };
}

function select({ label, options, value }) {
  const input = make("select", { id: name() },
                     ...options.map((text, index) => make("option", { value: index }, text)));
  input.value = value;
  return { input, read: () => Number(input.value), write: (to) => { input.value = to; },
           label: make("label", { htmlFor: input.id }, make("span", {}, label), input) };
}

function tickBox({ label, value }) {
  const input = make("input", { type: "checkbox", checked: value, id: name() });
  return { input, read: () => input.checked, write: (to) => { input.checked = to; },
           label: make("label", { htmlFor: input.id, className: "kit-tick" }, input, make("span", {}, label)) };
}

// ---------------------------------------------------------------- steppers

function steps(model, el) {
  const { title, names, steps: all } = model.get("spec");
  const last = all.length - 1;
  let at = 0;
  const input = make("input", { type: "range", min: 0, max: last, value: 0, id: name() });
  const place = make("output", { htmlFor: input.id });
  const label = make("label", { htmlFor: input.id }, make("span", {}, "Step ", place), input);
  const told = make("p", { className: "kit-told", "aria-live": "polite" });
  const body = make("tbody");
  const go = (to) => {
    at = Math.min(Math.max(to, 0), last);
    const before = all[Math.max(0, at - 1)].state;
    const { time, event, because, state } = all[at];
    input.value = at;
    place.textContent = `${at + 1} of ${all.length}`;
    input.setAttribute("aria-valuetext", place.textContent);
    told.replaceChildren(make("strong", {}, time == null ? "" : `${time.toLocaleString("en")} s  `), event);
    if (because) told.append(make("span", { className: "kit-because" }, ` because ${because}`));
    body.replaceChildren(...names.map((column, index) => {
      const changed = at > 0 && state[index] !== before[index];
      const row = make("tr", { className: changed ? "kit-changed" : "" }, make("th", { scope: "row" }, column),
                       make("td", {}, state[index] || "none"),
                       make("td", {}, changed ? `◂ was ${before[index] || "none"}` : ""));
      return row;
    }));
    for (const node of [first, back]) node.setAttribute("aria-disabled", at === 0); // still there for the keyboard
    for (const node of [forward, end]) node.setAttribute("aria-disabled", at === last);
  };
  const button = (text, to) => {
    const node = make("button", { type: "button" }, text);
    node.onclick = () => go(to());
    return node;
  };
  const first = button("First", () => 0);
  const back = button("◂ Back", () => at - 1);
  const forward = button("Forward ▸", () => at + 1);
  const end = button("Last", () => last);
  input.addEventListener("input", () => go(Number(input.value)));
  const head = make("tr", {}, ...["state", "now", "changed"].map((text) => make("th", { scope: "col" }, text)));
  el.append(make("p", { className: "kit-title" }, title),
            make("div", { className: "kit-steps" }, first, back, forward, end, label), told,
            make("table", { className: "kit-state" }, make("thead", {}, head), body));
  go(0);
}

// ---------------------------------------------------------------- predictions

function prediction(model, el) {
  const { question, choices, unit, low, high } = model.get("spec");
  const form = make("form", { className: "kit-prediction" });
  const fields = make("fieldset", {}, make("legend", {}, question));
  const group = name();
  let read;
  if (choices) {
    for (const text of choices) {
      fields.append(make("label", { className: "kit-tick" },
                         make("input", { type: "radio", name: group, value: text }), make("span", {}, text)));
    }
    read = () => form.elements[group].value;
  } else {
    const [from, to] = [low, high].map((bound) => bound.toLocaleString("en"));
    const input = make("input", { type: "number", step: "any", min: low, max: high });
    fields.append(make("label", {}, make("span", {}, `Your answer${unit ? `, in ${unit}` : ""} (${from} to ${to}) `), input));
    input.addEventListener("keydown", (event) => { // JupyterLab keeps Enter from submitting by itself
      if (event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
    });
    read = () => (input.value === "" ? "" : Number(input.value));
  }
  const commit = make("button", { type: "submit" }, "Commit");
  const told = make("p", { className: "kit-says", role: "status", tabIndex: -1 });
  let serial = model.get("request").serial ?? 0;
  let timer = null;
  form.noValidate = true; // what is wrong with an answer is said here and by Python, not by the browser's own bubbles
  form.onsubmit = (event) => {
    event.preventDefault();
    const said = read();
    if (said === "") {
      told.textContent = choices ? "Choose one first." : "Give a number first.";
      return;
    }
    told.textContent = "Asking the model …";
    clearTimeout(timer);
    timer = setTimeout(() => { told.textContent = SILENT; }, PATIENCE);
    model.set("request", { serial: ++serial, said });
    model.save_changes();
  };
  const answer = () => {
    const reply = model.get("reply");
    if (reply.told === undefined) return;
    clearTimeout(timer);
    told.textContent = reply.right == null ? reply.told : `${reply.right ? "✓" : "✗"} ${reply.told}`;
    if (reply.right != null && form.contains(document.activeElement)) told.focus(); // or the focus is lost with its field
    fields.disabled = commit.disabled = reply.right != null;
  };
  model.on("change:reply", answer);
  form.append(fields, commit, told);
  el.append(form);
  answer();
  return () => { clearTimeout(timer); model.off("change:reply", answer); };
}

function render({ model, el }) {
  el.classList.add("kit-panel");
  return { figure, explorer, steps, prediction }[model.get("kind")](model, el);
}

export default { render };
