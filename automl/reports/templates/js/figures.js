// Figures: a still SVG stands in each place; the live figure replaces it once it comes near.
const figures = (() => {
  const options = { displayModeBar: false, responsive: true };
  const narrow = 640;
  const selected = "#CC79A7";
  const live = new Set();
  const places = [...document.querySelectorAll(".plot")];
  let chosen = null;
  let loading = null;

  // What is long is deflated.
  const textOf = async (id) => {
    const { textContent: text, dataset } = document.getElementById(id);
    if (dataset.packed === undefined) return text;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(unpacked).text();
  };

  const load = async () => {
    const script = document.createElement("script");
    script.textContent = await textOf("plotly-source");
    document.head.append(script);
  };

  const dress = (layout) => {
    const style = getComputedStyle(document.documentElement);
    const quiet = style.getPropertyValue("--quiet").trim();
    layout.font = { ...layout.font, color: quiet };
    layout.hoverlabel = {
      ...layout.hoverlabel,
      bgcolor: style.getPropertyValue("--panel").trim(),
      bordercolor: quiet,
      font: { color: style.getPropertyValue("--ink").trim() },
    };
  };

  // On a phone the panels of a figure stand below one another.
  const restack = (figure, width) => {
    const panels = [...new Set(figure.data.map((t) => `${t.xaxis ?? "x"} ${t.yaxis ?? "y"}`))];
    if (width >= narrow || panels.length < 2 || figure.data.some((t) => t.scene || /3d$/.test(t.type))) return;
    const { layout } = figure;
    const { t: top, b: foot } = layout.margin;
    const titles = (layout.annotations ?? []).filter((a) => a.yref === "paper" && a.xref === "paper");
    const own = panels.length > 2 ? 190 : 230;
    const gap = titles.length ? 96 : 60; // the labels of one panel, and the title of the next
    layout.height = top + foot + panels.length * own + (panels.length - 1) * gap;
    const whole = layout.height - top - foot;
    panels.forEach((panel, i) => {
      const [x, y] = panel.split(" ").map((name) => `${name[0]}axis${name.slice(1)}`);
      const high = 1 - (i * (own + gap)) / whole;
      layout[x].domain = [0, 1];
      layout[y].domain = [Math.max(0, high - own / whole), high];
      layout[y].showticklabels = true;
      delete layout[x].matches;
      if (titles.length === panels.length) Object.assign(titles[i], { x: 0.5, y: high });
    });
  };

  const numberOf = (data) => (Array.isArray(data) ? data[0] : data);

  const draw = async (place) => {
    if (live.has(place)) return;
    live.add(place);
    loading ??= load();
    await loading;
    if (!window.Plotly) return;
    const figure = JSON.parse(await textOf(place.dataset.source));
    dress(figure.layout);
    restack(figure, place.clientWidth);
    place.replaceChildren();
    place.style.height = `${figure.layout.height}px`;
    Plotly.newPlot(place, figure.data, figure.layout, options).then(() => {
      place.dataset.traces = String(figure.data.length);
      place.on("plotly_click", (event) => {
        const number = event.points.map((p) => numberOf(p.customdata)).find(Number.isInteger);
        if (number !== undefined) selection.choose(number);
      });
      if (chosen !== null) mark(place);
    });
  };

  // The chosen trial's points and lines once more, on top and in a colour of their own.
  const copies = (trace, number) => {
    const at = [...(trace.customdata ?? [])].flatMap((c, i) => (numberOf(c) === number ? [i] : []));
    if (!at.length || trace.visible === "legendonly") return [];
    const shared = {
      xaxis: trace.xaxis ?? "x", yaxis: trace.yaxis ?? "y", hoverinfo: "skip", showlegend: false,
    };
    if (trace.type === "bar") {
      return [{
        ...shared, type: "bar", orientation: trace.orientation, base: at.map((i) => trace.base[i]),
        x: at.map((i) => trace.x[i]), y: at.map((i) => trace.y[i]), width: trace.width,
        marker: { color: "rgba(0,0,0,0)", line: { color: selected, width: 3 } },
      }];
    }
    const isLine = (trace.mode ?? "").includes("lines") && at.length > 1;
    return [{
      ...shared, type: "scatter", mode: isLine ? "lines+markers" : "markers",
      x: at.map((i) => trace.x[i]), y: at.map((i) => trace.y[i]),
      line: { color: selected, width: 4 },
      marker: { color: "rgba(0,0,0,0)", size: isLine ? 7 : 17, line: { color: selected, width: 3 } },
    }];
  };

  const mark = (place) => {
    const own = Number(place.dataset.traces);
    const extra = [...Array(place.data.length - own).keys()].map((i) => own + i);
    const added = chosen === null ? [] : place.data.slice(0, own).flatMap((t) => copies(t, chosen));
    place.dataset.marked = added.length ? String(chosen) : "";
    const cleared = extra.length ? Plotly.deleteTraces(place, extra) : Promise.resolve();
    cleared.then(() => added.length && Plotly.addTraces(place, added));
  };

  const choose = (number) => {
    chosen = number;
    for (const place of live) if (place.dataset.traces) mark(place);
  };

  const redress = () => {
    for (const place of live) {
      if (!place.layout) continue;
      dress(place.layout);
      Plotly.relayout(place, { font: place.layout.font, hoverlabel: place.layout.hoverlabel });
    }
  };

  const start = () => {
    // An older browser keeps the stills.
    if (!window.DecompressionStream) return;
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watch.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "500px" });
    places.forEach((place) => watch.observe(place));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redress);
  };
  // The page is painted first: reading plotly takes longer than all the rest.
  requestAnimationFrame(() => setTimeout(start));
  return { choose };
})();
