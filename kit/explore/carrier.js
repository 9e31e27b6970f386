// Unpacks plotly.js and gives it to the page, once, whatever the number of figures that wait for it.
function waiting() {
  if (!globalThis.kitPlotly) {
    let ready;
    const promise = new Promise((resolve) => { ready = resolve; });
    globalThis.kitPlotly = { promise, ready, loading: false };
  }
  return globalThis.kitPlotly;
}

async function unpack(packed, wait) {
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const url = URL.createObjectURL(new Blob([await new Response(unpacked).text()], { type: "text/javascript" }));
  const script = document.createElement("script");
  script.src = url;
  script.onload = () => { URL.revokeObjectURL(url); wait.ready(globalThis.Plotly); };
  script.onerror = () => { wait.loading = false; };
  document.head.append(script);
}

function initialize({ model }) {
  const wait = waiting();
  if (wait.loading) return;
  wait.loading = true;
  unpack(model.get("library"), wait);
}

export default { initialize };
