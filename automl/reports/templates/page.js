"use strict";
(() => {
  const options = { displayModeBar: false, responsive: true };
  for (const place of document.querySelectorAll(".plot")) {
    const figure = JSON.parse(document.getElementById(place.dataset.source).textContent);
    Plotly.newPlot(place, figure.data, figure.layout, options);
  }

  for (const button of document.querySelectorAll(".copy")) {
    const code = button.parentElement.querySelector("code");
    button.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      // Pages opened from a file have no clipboard interface in every browser.
      if (document.execCommand("copy")) button.textContent = "copied";
    });
  }

  const table = document.getElementById("trials");
  if (!table) return;
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const cell = (row, i) => row.cells[i].dataset.v;

  // Missing values sort last in both directions.
  const compare = (a, b, up) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = Number(a), y = Number(b);
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
    return up ? order : -order;
  };
  heads.forEach((head, i) => {
    head.tabIndex = 0;
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort((a, b) => compare(cell(a, i), cell(b, i), up));
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const comparisons = {
    "<": (x, y) => x < y, ">": (x, y) => x > y, "<=": (x, y) => x <= y, ">=": (x, y) => x >= y, "=": (x, y) => x === y,
  };
  const test = (word) => {
    const parts = /^([^<>=]+)(<=|>=|<|>|=)(.+)$/.exec(word);
    const i = parts ? heads.findIndex((head) => head.dataset.name === parts[1]) : -1;
    if (i < 0) return (row) => row.textContent.toLowerCase().includes(word.toLowerCase());
    const limit = Number(parts[3]);
    if (Number.isNaN(limit)) return (row) => parts[2] === "=" && cell(row, i) === parts[3];
    return (row) => cell(row, i) !== "" && comparisons[parts[2]](Number(cell(row, i)), limit);
  };
  const apply = () => {
    const tests = filter.value.split(/\s+/).filter(Boolean).map(test);
    let n = 0;
    for (const row of rows) {
      row.hidden = !tests.every((passes) => passes(row));
      n += !row.hidden;
    }
    shown.textContent = `${n} of ${rows.length} trials`;
  };
  filter.addEventListener("input", apply);
  apply();
})();
