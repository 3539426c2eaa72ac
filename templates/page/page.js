(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";

  // The legends: a name that is switched off is hidden in all charts of the page.
  const hidden = new Set();
  const showNames = () => {
    for (const element of all(".lines [data-name]")) {
      const off = hidden.has(element.dataset.name);
      if (element.tagName === "BUTTON") element.setAttribute("aria-pressed", String(!off));
      else element.classList.toggle("off", off);
    }
    for (const button of all(".legend .all")) {
      button.hidden = !all("[aria-pressed=false]", button.parentNode).length;
    }
  };
  const light = (figure, name) => {
    figure.classList.toggle("faded", name !== undefined);
    for (const series of all("svg .series", figure)) series.classList.toggle("lit", series.dataset.name === name);
  };
  for (const button of all(".legend button")) {
    const figure = button.closest("figure");
    const name = button.dataset.name;
    button.addEventListener("click", () => {
      if (name === undefined) hidden.clear();
      else if (!hidden.delete(name)) hidden.add(name);
      light(figure);
      showNames();
      if (button.hidden) all("button", button.parentNode)[0].focus();
    });
    if (name === undefined) continue;
    button.addEventListener("pointerenter", () => hidden.has(name) || light(figure, name));
    button.addEventListener("pointerleave", () => light(figure));
  }

  // Values of charts, by pointer and by arrow keys.
  for (const figure of all("figure")) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const plot = figure.querySelector(".plot");
    const tip = figure.querySelector(".tip");
    const output = figure.querySelector("output");
    const isLines = data.kind === "lines";
    const nearest = (items, distance) => items.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const shown = () => data.series.filter((series) => series.points.length && !(isLines && hidden.has(series.name)));
    const chart = () => all("svg.chart", plot).find((svg) => svg.getClientRects().length);
    const frame = (svg) => {
      const [left, top, right, bottom, x0, x1, y0, y1] = svg.dataset.plot.split(" ").map(Number);
      const x = (value) => left + ((value - x0) / (x1 - x0)) * (right - left);
      const y = (value) => bottom - ((value - y0) / (y1 - y0)) * (bottom - top);
      const step = (bottom - top) / data.series.length;
      const row = (series) => top + (data.series.indexOf(series) + 1) * step - 17;
      return { left, top, right, bottom, x, y, row };
    };
    // A point is [x, y, low, high] of a line, or [name, value, low, high] of a row.
    const place = (at, series, point) =>
      isLines ? [at.x(point[0]), at.y(point[1])] : [at.x(point[1]), at.row(series)];
    const unit = data.unit && " " + data.unit;
    const written = (point) => {
      if (point[1] === null) return "not measured";
      const [, value, low, high] = point.map((one) => Number(one).toFixed(data.decimals).replace("-", "\u2212"));
      return value + unit + (low ? ` (${low} to ${high})` : "");
    };
    const where = (point) => (isLines ? `${data.x} ${point[0]}` : point[0]);
    const clear = () => {
      tip.hidden = true;
      all(".cursor", plot).forEach((cursor) => cursor.remove());
    };
    const mark = (svg, at, points) => {
      const cursor = document.createElementNS(SVG, "g");
      cursor.setAttribute("class", "cursor");
      const add = (name, attributes) => {
        const element = document.createElementNS(SVG, name);
        for (const key in attributes) element.setAttribute(key, attributes[key]);
        cursor.append(element);
      };
      const [x] = place(at, ...points[0]);
      if (isLines) add("line", { x1: x, x2: x, y1: at.top, y2: at.bottom });
      for (const [series, point] of points) {
        if (point[1] === null) continue;
        const [cx, cy] = place(at, series, point);
        add("circle", { cx, cy, r: 5, class: "c" + series.color });
      }
      svg.append(cursor);
    };
    const make = (name, style, ...content) => {
      const element = document.createElement(name);
      element.className = style;
      element.append(...content);
      return element;
    };
    const line = (series, point, near) => {
      const name = isLines ? make("span", "", make("i", "c" + series.color), series.name) : where(point);
      return make("div", series === near ? "near" : "", name, " " + written(point));
    };
    const show = (points, near) => {
      clear();
      const svg = chart();
      if (!svg || !points.length) return;
      const at = frame(svg);
      mark(svg, at, points);
      const title = isLines ? `${where(points[0][1])} ${data.xunit}` : points[0][0].name;
      tip.replaceChildren(make("b", "", title), ...points.map(([series, point]) => line(series, point, near)));
      tip.hidden = false;
      const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      const [x, y] = place(at, ...points[0]);
      const room = plot.clientWidth - tip.offsetWidth;
      const right = x * scale + 18;
      tip.style.left = Math.max(0, right > room ? Math.min(room, x * scale - tip.offsetWidth - 18) : right) + "px";
      tip.style.top = (isLines ? at.top * scale : y * scale + 18) + "px";
    };
    const atX = (x) => {
      const points = shown().map((series) => [series, series.points.find((point) => point[0] === x)]);
      return points.filter(([, point]) => point).sort((a, b) => b[1][1] - a[1][1]);
    };
    plot.addEventListener("pointermove", (event) => {
      const svg = chart();
      const visible = shown();
      if (!svg || !visible.length) return clear();
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const at = frame(svg);
      if (x < at.left - 20 || x > at.right + 20 || y < at.top - 10 || y > at.bottom + 10) return clear();
      if (isLines) {
        const xs = visible.flatMap((series) => series.points.map((point) => point[0]));
        const points = atX(nearest(xs, (value) => Math.abs(at.x(value) - x)));
        const [series] = nearest(points, ([, point]) => (point[1] === null ? Infinity : Math.abs(at.y(point[1]) - y)));
        show(points, series);
      } else {
        const series = nearest(visible, (one) => Math.abs(at.row(one) - y));
        show(series.points.map((point) => [series, point]));
      }
    });
    plot.addEventListener("pointerleave", clear);
    plot.addEventListener("blur", () => {
      clear();
      output.textContent = "";
    });
    let series, point;
    plot.addEventListener("keydown", (event) => {
      const visible = shown();
      const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -1e9], End: [0, 1e9] };
      const step = steps[event.key];
      if (event.key === "Escape") return clear();
      if (!step || !visible.length || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const before = visible.indexOf(series);
      if (before < 0) {
        [series] = visible;
        [point] = series.points;
      } else {
        const [x] = point;
        series = visible.at((before + step[0]) % visible.length);
        // In another series, the nearest point or that of the same name.
        const beside = nearest(series.points, (one) => (isLines ? Math.abs(one[0] - x) : one[0] !== x));
        point = series.points[Math.max(0, series.points.indexOf(beside) + step[1])] ?? series.points.at(-1);
      }
      if (isLines) show(atX(point[0]), series);
      else show(series.points.map((one) => [series, one]));
      const what = [series.name, where(point)].filter(Boolean).join(", ");
      output.textContent = `${what}: ${written(point)}`;
    });
  }

  // Tables: sort by a column, and filter rows.
  // The number at the beginning of a text, in its plain unit: 1.9 Gbit/s is 1.9e9.
  const number = (text) => {
    const [, prefix = " "] = text.match(/\s([nµmkMGT])(?:bit|B|s\b)/) ?? [];
    return parseFloat(text.replace("\u2212", "-")) * 1000 ** ("nµm kMGT".indexOf(prefix) - 3);
  };
  for (const button of all("thead button")) {
    button.addEventListener("click", () => {
      const title = button.parentNode;
      const column = title.cellIndex;
      const body = title.closest("table").tBodies[0];
      const down = title.getAttribute("aria-sort") === "ascending";
      for (const other of all("th", title.parentNode)) other.removeAttribute("aria-sort");
      title.setAttribute("aria-sort", down ? "descending" : "ascending");
      const read = title.classList.contains("num") ? number : (text) => text;
      const compare = (a, b) =>
        typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
      const missing = (a) => Number.isNaN(a) || a === "";
      const rows = [...body.rows].map((row) => [read(row.cells[column].textContent.trim()), row]);
      // What has no value comes last either way.
      rows.sort(([a], [b]) => missing(a) - missing(b) || (missing(a) ? 0 : compare(a, b) * (down ? -1 : 1)));
      body.append(...rows.map(([, row]) => row));
    });
  }
  for (const input of all("[data-filter]")) {
    const rows = [...document.getElementById(input.dataset.filter).tBodies[0].rows];
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      let count = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        count += !row.hidden;
      }
      input.closest(".filter").querySelector("output").textContent = `${count} of ${rows.length}`;
    });
  }

  // Paper has no closed parts.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
