"use strict";
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  root.classList.add("js");

  /* Theme: automatic until chosen; remembered where the browser allows it. */
  const theme = byId("theme");
  const themes = ["auto", "light", "dark"];
  const stored = () => {
    try { return localStorage.getItem("foretaste-theme"); } catch { return null; }
  };
  const setTheme = (name) => {
    if (name === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", name);
    theme.lastElementChild.textContent = name;
    try { localStorage.setItem("foretaste-theme", name); } catch { /* private window */ }
  };
  theme.hidden = false;
  setTheme(themes.includes(stored()) ? stored() : "auto");
  theme.addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(theme.lastElementChild.textContent) + 1) % themes.length]);
  });

  /* Copy a command. */
  for (const block of all("pre.command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = block.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.classList.add("copies");
    block.append(button);
  }

  /* Open or close all cards of a section. */
  for (const button of all("button.toggle")) {
    const cards = () => all("details.card", byId(button.dataset.cards));
    const label = () => { button.textContent = cards().every((card) => card.open) ? "Close all" : "Open all"; };
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = !cards().every((card) => card.open);
      for (const card of cards()) card.open = open;
      label();
    });
    for (const card of cards()) card.addEventListener("toggle", label);
    label();
  }

  /* Sort a table by one of its columns. */
  const key = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!cell) return numeric ? 0 : "";
    return numeric ? Number(cell.dataset.k) : cell.textContent.trim().toLowerCase();
  };
  const sort = (table, heading) => {
    const headings = all("thead th, thead td", table);
    const column = headings.indexOf(heading);
    const numeric = heading.dataset.sort === "n";
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = Array.from(table.tBodies[0].rows, (row, place) => ({ row, place, value: key(row, column, numeric) }));
    rows.sort((a, b) => {
      const order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
      return (descending ? -order : order) || a.place - b.place;
    });
    table.tBodies[0].append(...rows.map((entry) => entry.row));
    table.dispatchEvent(new Event("sorted"));
  };
  for (const button of all("button.sort")) {
    button.addEventListener("click", () => sort(button.closest("table"), button.closest("th")));
  }

  /* Filter and page the rows. */
  const table = byId("rows-table");
  const PAGE = 25;
  let page = 0;
  let matching = [];
  let reveal = () => {};
  if (table) {
    const find = byId("find");
    const selects = all("#controls select");
    const status = byId("status");
    const texts = new Map(all("tbody tr", table).map((row) => [row, row.textContent.toLowerCase()]));
    const show = () => {
      const last = Math.max(0, Math.ceil(matching.length / PAGE) - 1);
      page = Math.min(Math.max(page, 0), last);
      const shown = new Set(matching.slice(page * PAGE, (page + 1) * PAGE));
      for (const row of texts.keys()) row.hidden = !shown.has(row);
      const from = page * PAGE + 1;
      const to = Math.min((page + 1) * PAGE, matching.length);
      status.textContent = matching.length
        ? `${from.toLocaleString("en")}–${to.toLocaleString("en")} of ${matching.length.toLocaleString("en")} rows`
        : "No row matches";
      byId("previous").disabled = page === 0;
      byId("following").disabled = page === last;
    };
    const filter = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      matching = Array.from(table.tBodies[0].rows).filter((row) =>
        selects.every((select) => !select.value || row.dataset[select.dataset.by] === select.value) &&
        words.every((word) => texts.get(row).includes(word)));
      page = 0;
      show();
    };
    reveal = (row) => {
      if (!matching.includes(row)) {
        find.value = "";
        for (const select of selects) select.value = "";
        filter();
      }
      page = Math.floor(matching.indexOf(row) / PAGE);
      show();
    };
    find.addEventListener("input", filter);
    for (const select of selects) select.addEventListener("change", filter);
    table.addEventListener("sorted", filter);
    const turn = (by) => {
      page += by;
      show();
      byId("rows").scrollIntoView();
    };
    byId("previous").addEventListener("click", () => turn(-1));
    byId("following").addEventListener("click", () => turn(1));
    byId("controls").hidden = false;
    byId("pager").hidden = false;
    filter();
  }

  /* A link may point into something closed or on another page of the table. */
  const follow = () => {
    const target = location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    for (const row of all("tr.here")) row.classList.remove("here");
    if (target.tagName === "TR") {
      reveal(target);
      target.classList.add("here");
      target.focus({ preventScroll: true });
    }
    target.scrollIntoView({ block: target.tagName === "TR" ? "center" : "start" });
  };
  addEventListener("hashchange", follow);
  follow();

  /* The map: point at a flagged row, or step through them. */
  const canvas = document.querySelector(".map .canvas");
  if (canvas) {
    const marks = all(".pt", canvas);
    const note = byId("map-note");
    let at = -1;
    const select = (mark) => {
      for (const other of all(".pt.on", canvas)) other.classList.remove("on");
      mark.classList.add("on");
      note.textContent = mark.querySelector("title").textContent;
      at = marks.indexOf(mark);
    };
    canvas.addEventListener("pointerover", (event) => {
      const mark = event.target.closest(".pt");
      if (mark) select(mark);
    });
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by || !marks.length) return;
      event.preventDefault();
      select(marks[(at + by + marks.length) % marks.length]);
    });
  }

  /* Say where the reader is. */
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  if ("IntersectionObserver" in window) {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id).setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    for (const id of links.keys()) if (byId(id)) seen.observe(byId(id));
  }

  /* Paper has no buttons: print everything that can be opened. */
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const item of closed) item.open = true;
  });
  addEventListener("afterprint", () => { for (const item of closed) item.open = false; });
})();
