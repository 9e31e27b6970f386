// What a test sees of a page: the marks of a picture, frame by frame; what is cut, what overlaps, what is too pale.
window.eyes = (() => {
  const MARKS = ".scatterlayer path.js-line, .scatterlayer path.point, .barlayer .point path, .scatterlayer .fills path";
  const ARROW = 18; // px of a select, for the arrow at its end
  const round = (number) => Math.round(number);
  const shown = (node) => node.getClientRects().length > 0 && getComputedStyle(node).visibility !== "hidden";
  const words = (node) => node.textContent.trim().slice(0, 60);
  const overlap = (a, b) => [Math.min(a.right, b.right) - Math.max(a.left, b.left),
                             Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];

  // What an explorer shows: [its picture, its text]; the picture, marks and all that is written in it, as a number.
  function glance(panel) {
    const marks = [...panel.querySelectorAll(MARKS)].map((mark) => `${mark.getAttribute("d")} ${mark.getAttribute("transform")}`);
    const written = [...panel.querySelectorAll(".js-plotly-plot text")].map((text) => text.textContent);
    let sum = 0;
    for (const letter of [...marks, ...written].join("\n")) sum = (31 * sum + letter.codePointAt(0)) % 2 ** 32;
    return [sum, panel.querySelector(".kit-says").textContent];
  }

  // Looks at a panel in every frame until the function that it gives is called: then {frames, empty}.
  function watch(panel) {
    const seen = { frames: 0, empty: [] };
    let going = true;
    const look = () => {
      if (!going) return;
      seen.frames += 1;
      const plot = panel.querySelector(".kit-plot"), marks = panel.querySelectorAll(MARKS).length;
      const missing = [[!marks, "no marks"], [plot.offsetHeight < 100, "no height"], [!words(panel.querySelector(".kit-title")), "no title"],
                       [!words(panel.querySelector(".kit-says")), "no text"]].filter(([is]) => is).map(([, what]) => what);
      if (missing.length) seen.empty.push(`frame ${seen.frames}: ${missing.join(", ")}`);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    return () => { going = false; return seen; };
  }

  // What a learner cannot see or read whole, in words; [] if all is well.
  function faults(output) {
    const found = [];
    for (const node of [output, ...output.querySelectorAll("*")]) {
      if (node.closest("svg") || !shown(node) || node.matches("pre, .kit-rows, .kit-rows *, option, caption, .katex *")) continue;
      const { overflowX } = getComputedStyle(node);
      if (overflowX !== "visible" && node.scrollWidth > node.clientWidth + 1) found.push(`wider than its place: ${node.tagName} ${node.className}, ${node.scrollWidth} in ${node.clientWidth} px`);
    }
    for (const panel of output.querySelectorAll(".kit-panel, .kit-console")) {
      const place = panel.getBoundingClientRect();
      for (const node of panel.querySelectorAll("label, button, select, input, output, legend, p, th, td, code, figure")) {
        const box = node.getBoundingClientRect();
        if (!shown(node) || node.closest(".kit-rows")) continue;
        if (box.left < place.left - 1 || box.right > place.right + 1) found.push(`beside the panel: ${node.tagName} “${words(node)}”`);
        if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth && node.tagName !== "INPUT") found.push(`cut: ${node.tagName} “${words(node)}”`);
        if (node.tagName === "SELECT" && widest(node) > node.clientWidth) found.push(`cut: a choice of “${words(node.parentNode)}”`);
      }
    }
    for (const plot of output.querySelectorAll(".js-plotly-plot")) found.push(...crowding(plot));
    return found;
  }

  function widest(select) {
    const pen = document.createElement("canvas").getContext("2d"), { font, paddingLeft, paddingRight } = getComputedStyle(select);
    pen.font = font;
    return ARROW + parseFloat(paddingLeft) + parseFloat(paddingRight) + Math.max(...[...select.options].map(({ text }) => pen.measureText(text).width));
  }

  // Texts of a figure that leave it, or lie on one another; a legend on the data.
  function crowding(plot) {
    const found = [], frame = plot.querySelector(".main-svg").getBoundingClientRect(), legend = plot.querySelector(".legend .bg");
    const texts = [...plot.querySelectorAll("text")].filter((text) => words(text) && shown(text)).map((text) => [words(text), text.getBoundingClientRect()]);
    if (frame.width > plot.clientWidth + 1) found.push(`the figure is ${round(frame.width)} px wide, its place ${plot.clientWidth}`);
    texts.forEach(([text, box], number) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) found.push(`cut in the figure: “${text}”`);
      for (const [other, its] of texts.slice(number + 1)) {
        const [wide, high] = overlap(box, its);
        if (wide > 2 && high > 4) found.push(`“${text}” lies on “${other}” by ${round(wide)} x ${round(high)} px`);
      }
    });
    for (const area of legend ? plot.querySelectorAll(".cartesianlayer .xy .plot, .bglayer .bg") : []) {
      const [wide, high] = overlap(legend.getBoundingClientRect(), area.getBoundingClientRect());
      if (wide > 2 && high > 2) found.push(`the legend lies on the data by ${round(wide)} x ${round(high)} px`);
    }
    return found;
  }

  // Texts of a figure with less contrast to the page than WCAG 2.2 asks of text (1.4.3); axe looks at none within an svg.
  function pale(output) {
    const page = background(output);
    return [...output.querySelectorAll(".js-plotly-plot text")].filter((text) => words(text) && shown(text))
      .map((text) => [words(text), contrast(rgb(getComputedStyle(text).fill), page)]).filter(([, ratio]) => ratio < 4.5)
      .map(([text, ratio]) => `“${text}” has a contrast of ${ratio.toFixed(1)}`);
  }

  function background(node) {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  }

  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, n) => {
    const part = colour[n] / 255;
    return sum + weight * (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  return { glance, watch, faults, pale };
})();
