// One trial is chosen at a time, by click, key or address; every view shows it.
const selection = (() => {
  const details = new Map(
    [...document.querySelectorAll(".detail")].map((each) => [Number(each.dataset.trial), each]),
  );
  const steps = document.querySelector(".steps");
  const rows = () => [...document.querySelectorAll("tr[data-trial]")];
  let open = null;
  let from = null;

  // The buttons stand in the trial that is open; one that was pressed keeps the focus.
  const lend = (number) => {
    const pressed = steps?.contains(document.activeElement) ? document.activeElement : null;
    details.get(number)?.querySelector("header").append(steps);
    pressed?.focus({ preventScroll: true });
  };

  const show = (number) => {
    if (open === number) return;
    details.get(open)?.classList.remove("open");
    details.get(number)?.classList.add("open");
    lend(number);
    document.documentElement.classList.toggle("has-detail", number !== null);
    for (const row of rows()) {
      const isIt = Number(row.dataset.trial) === number;
      row.classList.toggle("selected", isIt);
      if (isIt) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
    if ((open === null) !== (number === null)) dispatchEvent(new Event("resize"));
    open = number;
    figures.choose(number);
  };

  const address = (number) => (number === null ? `${location.pathname}${location.search}` : `#trial-${number}`);

  const choose = (number) => {
    if (!details.has(number)) return;
    if (open === null) from = document.activeElement;
    if (open !== number) history.pushState(null, "", address(number));
    show(number);
  };

  const close = () => {
    if (open === null) return;
    history.pushState(null, "", address(null));
    show(null);
    from?.focus?.({ preventScroll: true });
  };

  const read = () => {
    const parts = /^#trial-(\d+)$/.exec(location.hash);
    const number = parts ? Number(parts[1]) : null;
    show(details.has(number) ? number : null);
    if (open !== null) details.get(open).focus({ preventScroll: true });
  };

  // The next one in the order of the table as it stands, confirmations after it.
  const step = (by) => {
    const order = rows().filter((row) => !row.hidden).map((row) => Number(row.dataset.trial));
    if (!order.length) return;
    const at = order.indexOf(open);
    const to = at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + by));
    choose(order[to]);
    rows().find((row) => Number(row.dataset.trial) === order[to])?.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("click", (event) => {
    const action = event.target.closest("[data-do]")?.dataset.do;
    if (action === "close") return close();
    if (action === "next") return step(1);
    if (action === "previous") return step(-1);
    const link = event.target.closest('a[href^="#trial-"]');
    if (link) {
      event.preventDefault();
      return choose(Number(link.hash.slice("#trial-".length)));
    }
    const row = event.target.closest("tr[data-trial]");
    if (row && !event.target.closest("a, button") && getSelection().isCollapsed) choose(Number(row.dataset.trial));
  });
  const keys = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    const inLog = event.target.closest("pre, summary");
    if (event.key === "Escape") close();
    else if (event.key in keys && !inLog && (open !== null || event.key.length === 1)) {
      event.preventDefault();
      step(keys[event.key]);
    }
  });
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  return { choose, close, read };
})();
