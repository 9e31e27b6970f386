// The console of a sandbox: two choices, one table, and one live line of text that says what the table shows.
// Python lists and counts; this only draws, and says how often it is on the page.

const PATIENCE = 4000; // milliseconds without an answer, after which the learner is told
const SILENT = "No answer from the kernel yet: it is busy, or it was restarted. If it was restarted, run the first cell, "
  + "then those that make the sandbox, then this one. Until then the table is that of the choice before.";
const onPage = new WeakMap(); // model -> views of it on this page

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node && !name.startsWith("aria")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

let count = 0;

function choice(label) {
  const input = make("select", { id: `kit-console-${++count}-${Math.round(performance.now())}` });
  input.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes its arrow keys and letters for the notebook
  return { input, label: make("label", { htmlFor: input.id }, make("span", {}, label), input) };
}

function fill(input, options, chosen) {
  if (JSON.stringify(options) !== input.dataset.options) { // else it keeps its focus and stays open
    input.dataset.options = JSON.stringify(options);
    input.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  }
  input.value = chosen;
}

function render({ model, el }) {
  el.classList.add("kit-console");
  const service = choice("Service"), region = choice("Region");
  const says = make("p", { className: "kit-says", "aria-live": "polite" });
  const note = make("p", { className: "kit-error", role: "alert" });
  const head = make("thead"), body = make("tbody");
  const table = make("table", {}, make("caption", {}, "What exists in the sandbox"), head, body);
  const box = make("div", { className: "kit-rows", tabIndex: 0, role: "region", "aria-label": "What exists in the sandbox" }, table);
  let timer = null;

  const draw = () => {
    clearTimeout(timer);
    const page = model.get("page");
    fill(service.input, page.services, page.service);
    fill(region.input, page.regions, page.region);
    if (says.textContent !== page.says) says.textContent = page.says; // said anew only when it is new
    note.textContent = page.note;
    el.classList.remove("kit-stale");
    box.setAttribute("aria-busy", "false");
    box.hidden = page.rows.length === 0;
    head.replaceChildren(make("tr", {}, ...page.columns.map((text) => make("th", { scope: "col" }, text))));
    body.replaceChildren(...page.rows.map((row) => make("tr", {}, ...row.map((text) => make("td", {}, text)))));
  };
  for (const { input } of [service, region]) {
    input.addEventListener("change", () => {
      clearTimeout(timer);
      box.setAttribute("aria-busy", "true");
      timer = setTimeout(() => { note.textContent = SILENT; el.classList.add("kit-stale"); }, PATIENCE);
      model.set("chosen", { service: service.input.value, region: region.input.value });
      model.save_changes();
    });
  }
  const tell = (change) => {
    onPage.set(model, (onPage.get(model) ?? 0) + change);
    model.set("views", onPage.get(model));
    model.save_changes();
  };

  el.append(make("div", { className: "kit-choices" }, service.label, region.label), says, note, box);
  model.on("change:page", draw);
  draw();
  tell(+1);
  return () => { clearTimeout(timer); model.off("change:page", draw); tell(-1); };
}

export default { render };
