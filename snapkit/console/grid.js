// Draws what Python says, and says what was clicked. All text becomes text nodes, so markup in it shows literally.

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

function render({ model, el }) {
  const told = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const head = make("thead"), body = make("tbody");
  const table = make("table", {}, head, body);
  const room = make("div", { className: "snapkit-grid-room", tabIndex: -1 }, table);
  el.classList.add("snapkit-grid");
  el.append(room);

  const all = make("input", { type: "checkbox", title: "Select every row of this page", ariaLabel: "Select this page" });
  all.addEventListener("change", () => told("checked", all.checked ? model.get("ids") : []));

  function drawHead() {
    const { column, down } = model.get("order");
    const headings = model.get("columns").map((each, place) => {
      const mark = place === column ? (down ? "▼" : "▲") : "";
      const sign = make("span", { className: "snapkit-grid-mark", textContent: mark, ariaHidden: "true" });
      const button = make("button", { type: "button", title: `Sort by ${each.title}` }, each.title, sign);
      button.addEventListener("click", () => {
        told("order", { column: place, down: place === column ? !down : each.down });
        // The heading was drawn anew.
        head.querySelectorAll("th button")[place].focus();
      });
      const cell = make("th", { scope: "col", className: each.right ? "snapkit-grid-right" : "" }, button);
      cell.ariaSort = place === column ? (down ? "descending" : "ascending") : "none";
      return cell;
    });
    head.replaceChildren(make("tr", {}, make("th", { scope: "col" }, all), ...headings));
    table.ariaLabel = model.get("label");
  }

  function drawRows() {
    const ids = model.get("ids"), columns = model.get("columns");
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
    const drawn = model.get("rows").map((cells, place) => {
      const id = ids[place];
      const box = make("input", { type: "checkbox", ariaLabel: `Select ${id}` });
      box.addEventListener("change", () => {
        const others = model.get("checked").filter((each) => each !== id);
        told("checked", box.checked ? [...others, id] : others);
      });
      const open = make("button", { type: "button" }, cells[0]);
      open.dataset.id = id;
      const shown = cells.slice(1).map((text, at) =>
        make("td", { className: columns[at + 1].right ? "snapkit-grid-right" : "", title: text }, text)
      );
      const row = make("tr", {}, make("td", {}, box), make("td", {}, open), ...shown);
      row.dataset.id = id;
      row.addEventListener("click", (event) => event.target !== box && told("current", id));
      return row;
    });
    const nothing = make("td", { className: "snapkit-grid-nothing", colSpan: columns.length + 1 }, model.get("nothing"));
    body.replaceChildren(...(drawn.length ? drawn : [make("tr", {}, nothing)]));
    drawMeters();
    drawMarks();
    if (focused) body.querySelector(`button[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  function drawMeters() {
    const meters = model.get("meters"), place = model.get("columns").findIndex((each) => each.meter);
    model.get("rows").forEach((cells, at) => {
      const row = body.rows[at], id = row.dataset.id, percent = meters[id];
      const bar = make("progress", { max: 100, value: percent ?? 0, ariaLabel: `${id} ${percent} %` });
      row.cells[place + 1].replaceChildren(...(percent === undefined ? [cells[place]] : [bar, ` ${percent} %`]));
    });
  }

  function drawMarks() {
    const checked = new Set(model.get("checked")), current = model.get("current"), ids = model.get("ids");
    for (const row of body.rows) {
      if (!row.dataset.id) continue;
      row.querySelector("input").checked = checked.has(row.dataset.id);
      row.ariaCurrent = String(row.dataset.id === current);
      row.classList.toggle("snapkit-grid-checked", checked.has(row.dataset.id));
    }
    all.checked = ids.length > 0 && ids.every((id) => checked.has(id));
    all.indeterminate = !all.checked && ids.some((id) => checked.has(id));
  }

  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...body.querySelectorAll("button")], at = buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    buttons[at + step]?.focus();
  });

  model.on("change:columns change:order", drawHead);
  model.on("change:rows", drawRows);
  model.on("change:ids", () => (room.scrollTop = 0));
  model.on("change:meters", drawMeters);
  function makeRoom() {
    const chosen = body.querySelector('tr[aria-current="true"]');
    el.classList.toggle("snapkit-grid-beside", Boolean(model.get("current")));
    chosen?.scrollIntoView({ block: "nearest" });
  }

  model.on("change:checked change:current", drawMarks);
  model.on("change:current", makeRoom);
  drawHead();
  drawRows();
}

export default { render };
