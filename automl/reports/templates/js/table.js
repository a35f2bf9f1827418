// The table of trials: sorted by a click on a head, filtered by words and comparisons.
(() => {
  const table = document.getElementById("trials");
  if (!table) return;
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const others = [...(document.getElementById("confirmations")?.tBodies[0].rows ?? [])];
  const cell = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;

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
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first ?? "ascending";
      const opposite = first === "ascending" ? "descending" : "ascending";
      const next = now === first ? opposite : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      rows.sort((a, b) => compare(cell(a, i), cell(b, i), next === "ascending"));
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
  const contains = (word) => (row) => row.textContent.toLowerCase().includes(word.toLowerCase());
  const test = (word) => {
    const parts = /^([^<>=]+)(<=|>=|<|>|=)(.+)$/.exec(word);
    const named = parts?.[1].toLowerCase();
    const isIt = (head) => [head.dataset.name, head.title].some((name) => name?.toLowerCase() === named);
    const i = parts ? heads.findIndex(isIt) : -1;
    if (i < 0) return contains(word);
    const limit = Number(parts[3]);
    const text = parts[3].toLowerCase();
    if (Number.isNaN(limit)) return (row) => parts[2] === "=" && cell(row, i).toLowerCase() === text;
    return (row) => cell(row, i) !== "" && comparisons[parts[2]](Number(cell(row, i)), limit);
  };
  const apply = () => {
    const words = filter.value.split(/\s+/).filter(Boolean);
    const tests = words.map(test);
    const texts = words.map(contains);
    let n = 0;
    for (const row of rows) {
      row.hidden = !tests.every((passes) => passes(row));
      n += !row.hidden;
    }
    let m = 0;
    for (const row of others) {
      row.hidden = !texts.every((passes) => passes(row));
      m += !row.hidden;
    }
    shown.textContent = `${n} of ${rows.length} trials` + (others.length ? `, ${m} of ${others.length} confirmations below` : "");
  };
  filter.addEventListener("input", apply);
  apply();
})();
