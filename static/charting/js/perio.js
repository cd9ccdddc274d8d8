/* A periodontal exam typed at the speed of speech. Every key goes into the author's draft on the server at once. */
import { attach, requestHeaders } from "../../clinic/js/attach.js";
import { serverAnswers } from "../../clinic/js/connection.js";
import { isTyping } from "../../clinic/js/keys.js";

const FLAGS = { b: "bleeding", s: "suppuration", p: "plaque", c: "calculus" };
const MEASURES = { d: "pd", g: "gm", l: "mgj", m: "mobility", f: "furcation" };
const NAMES = ["distal facial", "facial", "mesial facial", "distal lingual", "lingual", "mesial lingual"];
const MOST = { pd: 15, gm: 10, mgj: 15, mobility: 3, furcation: 3 };
const AT_ONCE = 8; // requests under way; what is typed meanwhile goes with the next one

const six = (value) => Array.from({ length: 6 }, () => value);
const blank = () => ({
  pd: six(null), gm: six(null), mgj: six(null), bleeding: six(false), suppuration: six(false), plaque: six(false),
  calculus: six(false), mobility: null, furcation: {},
});

/* What is typed, on its way to the server: each state under the next number, so that a late one never wins. */
function keeper(page, state, takeUp, tell) {
  const window_ = crypto.randomUUID();
  let { began } = page;
  let number = 0;
  let under = 0;
  let waiting = false;
  let stopped = false; // it is being saved: nothing goes into the draft any more

  async function send() {
    if (stopped) return;
    if (under >= AT_ONCE) { waiting = true; return; }
    waiting = false;
    under += 1;
    number += 1;
    try {
      const answer = await fetch(page.keep, {
        method: "POST", headers: { ...requestHeaders(), "Content-Type": "application/json" }, keepalive: true,
        body: JSON.stringify({ about: page.about, window: window_, number, began, content: state() }),
      });
      serverAnswers(true);
      if (answer.status === 409) {
        /* Typed in another window, or by this page before it died: what was not typed here is taken up, then both are kept. */
        const other = await answer.json();
        began = other.token;
        takeUp(other.content);
        waiting = true;
        tell("Taken up from another window");
      } else if (answer.ok) tell("Kept as you type");
      else tell("Not kept: the server did not take it. Save the exam.", true);
    } catch {
      serverAnswers(false);
      tell("Not kept: no connection. What you typed is still here.", true);
      setTimeout(send, 2000);
    } finally {
      under -= 1;
      if (waiting) send();
    }
  }
  send.window = window_;
  send.stop = () => { stopped = true; };
  return send;
}

attach("[data-perio]", (root) => {
  const page = JSON.parse(root.querySelector("#perio-page").textContent);
  const grid = root.querySelector("[data-perio-grid]");
  const form = root.querySelector("[data-perio-form]");
  const chosen = root.querySelector("[data-perio-path]");
  const says = root.querySelector("[data-perio-says]");
  const kept = root.querySelector("[data-perio-kept]");
  const cells = new Map();
  for (const cell of grid.querySelectorAll("td[data-at]")) cells.set(`${cell.dataset.row} ${cell.dataset.at}`, cell);

  const teeth = {};
  for (const key of Object.keys(page.teeth)) teeth[key] = Object.assign(blank(), page.content.teeth?.[key]);
  let measure = page.content.measure || "pd";
  let last = null; // the site just typed, which letters mark
  let prefix = ""; // + for ten more, - for less than nought
  if (page.paths[page.content.path]) chosen.value = page.content.path;

  /* The stops of a measure along the path: sites, or teeth for mobility, or the places where roots part. */
  function stops() {
    const order = page.paths[chosen.value].order;
    if (measure === "mgj") return order.filter(([key, site]) => !(page.teeth[key].palate && site > 2));
    if (measure === "mobility" || measure === "furcation") {
      const keys = [...new Set(order.map(([key]) => key))];
      return measure === "mobility" ? keys.map((key) => [key, null])
        : keys.flatMap((key) => page.teeth[key].furcations.map((letter) => [key, letter]));
    }
    return order;
  }
  let order = stops();
  let at = Math.min(page.content.at || 0, Math.max(order.length - 1, 0));

  const holds = ([key, place]) => measure === "mobility" ? teeth[key].mobility
    : measure === "furcation" ? teeth[key].furcation[place] ?? null : teeth[key][measure][place];
  function put([key, place], value) {
    own.add(typeof place === "number" ? `${key} ${measure} ${place}` : `${key} ${measure}`);
    if (measure === "mobility") teeth[key].mobility = value;
    else if (measure === "furcation") {
      if (value === null) delete teeth[key].furcation[place];
      else teeth[key].furcation[place] = value;
    } else teeth[key][measure][place] = value;
  }

  const touched = (tooth) => tooth.mobility !== null || Object.keys(tooth.furcation).length > 0
    || ["pd", "gm", "mgj"].some((name) => tooth[name].some((value) => value !== null))
    || Object.values(FLAGS).some((flag) => tooth[flag].some(Boolean));
  /* Only what is there: a browser lets no more than 64 KiB be under way when its page dies. */
  const tells = (value) => Array.isArray(value) ? value.some((each) => each !== null && each !== false)
    : typeof value === "number" || (value !== null && Object.keys(value).length > 0);
  const lean = (tooth) => Object.fromEntries(Object.entries(tooth).filter(([, value]) => tells(value)));
  const state = () => ({
    teeth: Object.fromEntries(Object.entries(teeth).filter(([, tooth]) => touched(tooth)).map(([key, tooth]) => [key, lean(tooth)])),
    at, measure, path: chosen.value, note: form.elements.note.value, reason: form.elements.reason?.value || "" });
  const own = new Set(); // what was typed in this window
  const keep = keeper(page, state, takeUp, (words, bad) => {
    kept.textContent = words;
    kept.classList.toggle("text-red", Boolean(bad));
  });

  function takeUp(content) {
    for (const [key, theirs] of Object.entries(content.teeth || {})) {
      const tooth = teeth[key];
      if (!tooth) continue;
      for (const name of ["pd", "gm", "mgj", ...Object.values(FLAGS)]) {
        theirs[name]?.forEach((value, site) => { if (!own.has(`${key} ${name} ${site}`)) tooth[name][site] = value; });
      }
      if (!own.has(`${key} mobility`)) tooth.mobility = theirs.mobility ?? null;
      if (!own.has(`${key} furcation`)) tooth.furcation = { ...theirs.furcation };
    }
    drawAll();
  }

  /* Drawing */
  const text = (value) => (value === null || value === undefined ? "" : String(value));
  function drawSite(key, site) {
    const tooth = teeth[key];
    const depth = tooth.pd[site];
    const margin = tooth.gm[site];
    const set = (row, value, deep) => {
      const cell = cells.get(`${row} ${key}:${site}`);
      if (!cell) return;
      cell.textContent = text(value);
      cell.classList.toggle("is-deep", Boolean(deep));
    };
    set("pd", depth, depth !== null && depth >= page.deep);
    set("gm", margin);
    set("mgj", tooth.mgj[site]);
    set("cal", depth === null || margin === null ? null : depth + margin);
    const marks = cells.get(`marks ${key}:${site}`);
    if (marks) {
      marks.replaceChildren(...Object.entries(FLAGS).filter(([, flag]) => tooth[flag][site]).map(([letter, flag]) => {
        const mark = document.createElement("span");
        mark.className = `mark is-${flag}`;
        mark.textContent = letter;
        return mark;
      }));
    }
  }
  function drawMore(key) {
    const place = grid.querySelector(`[data-more="${CSS.escape(key)}"]`);
    if (!place) return;
    const tooth = teeth[key];
    const words = Object.entries(tooth.furcation).map(([letter, grade]) => `${letter.toUpperCase()}${grade}`);
    if (tooth.mobility !== null) words.unshift(`M${tooth.mobility}`);
    place.textContent = words.length ? ` ${words.join(" ")}` : "";
  }
  function drawCursor() {
    for (const old of grid.querySelectorAll(".is-now")) old.classList.remove("is-now");
    root.querySelector(".perio-now").classList.remove("is-wrong");
    for (const button of root.querySelectorAll("[data-measure]")) {
      button.setAttribute("aria-pressed", String(button.dataset.measure === measure));
    }
    const stop = order[at];
    const where = root.querySelector("[data-perio-where]");
    const value = root.querySelector("[data-perio-value]");
    if (!stop) { where.textContent = "The end of the path"; value.textContent = ""; return; }
    const [key, place] = stop;
    const cell = typeof place === "number" ? cells.get(`${measure} ${key}:${place}`) : grid.querySelector(`[data-tooth="${CSS.escape(key)}"]`);
    cell?.classList.add("is-now");
    grid.querySelector(`[data-tooth="${CSS.escape(key)}"]`)?.classList.add("is-now");
    const what = typeof place === "number" ? NAMES[place] : place ? `furcation ${place.toUpperCase()}` : "mobility";
    where.textContent = `${page.teeth[key].label} ${what}`;
    value.textContent = prefix || text(holds(stop)) || "–";
    says.textContent = where.textContent;
  }
  function drawLive() {
    const found = Object.values(teeth).flatMap((tooth) => tooth.pd.map((depth, site) => ({ depth, tooth, site }))).filter(({ depth }) => depth !== null);
    const share = (flag) => (found.length ? `${Math.round((100 * found.filter(({ tooth, site }) => tooth[flag][site]).length) / found.length)} %` : "–");
    const live = {
      measured: `${found.length}/${Object.keys(teeth).length * 6}`, bleeding: share("bleeding"), plaque: share("plaque"),
      mean: found.length ? (found.reduce((sum, { depth }) => sum + depth, 0) / found.length).toFixed(2) : "–",
      deep: String(found.filter(({ depth }) => depth >= page.deep).length),
    };
    for (const [name, value] of Object.entries(live)) root.querySelector(`[data-live="${name}"]`).textContent = value;
  }
  function changed(key, site) {
    if (typeof site === "number") drawSite(key, site);
    else drawMore(key);
    drawLive();
    drawCursor();
    keep();
  }

  function tellFault(words) {
    says.textContent = words;
    root.querySelector("[data-perio-value]").textContent = words;
    root.querySelector(".perio-now").classList.add("is-wrong");
  }

  /* Typing */
  function digit(value) {
    const stop = order[at];
    if (!stop) return;
    const figure = prefix === "+" ? 10 + value : prefix === "-" ? -value : value;
    prefix = "";
    const least = measure === "gm" ? -5 : 0;
    if (figure > MOST[measure] || figure < least) {
      drawCursor();
      tellFault(`${figure} is not possible: ${least} to ${MOST[measure]}.`);
      return;
    }
    put(stop, figure);
    last = typeof stop[1] === "number" ? stop : null;
    at = Math.min(at + 1, order.length);
    changed(...stop);
  }
  function mark(letter) {
    const stop = last || order[at];
    if (!stop || typeof stop[1] !== "number") return;
    const [key, site] = stop;
    own.add(`${key} ${FLAGS[letter]} ${site}`);
    teeth[key][FLAGS[letter]][site] = !teeth[key][FLAGS[letter]][site];
    changed(key, site);
  }
  function back() {
    prefix = "";
    at = Math.max(at - 1, 0);
    const stop = order[at];
    if (!stop) return;
    put(stop, null);
    last = null;
    if (typeof stop[1] === "number" && measure === "pd") for (const flag of Object.values(FLAGS)) {
      own.add(`${stop[0]} ${flag} ${stop[1]}`);
      teeth[stop[0]][flag][stop[1]] = false;
    }
    changed(...stop);
  }
  function moveTo(index) {
    prefix = "";
    last = null;
    at = Math.min(Math.max(index, 0), order.length);
    drawCursor();
    keep();
  }
  function choose(next) {
    const here = order[at];
    measure = next;
    order = stops();
    const same = here ? order.findIndex(([key, place]) => key === here[0] && (place === here[1] || typeof place !== "number")) : -1;
    moveTo(same >= 0 ? same : 0);
    grid.focus({ preventScroll: true });
  }
  /* Left and right in the row as it is drawn, up and down among the rows of sites. */
  function walk(key) {
    const stop = order[at] || order[order.length - 1];
    const cell = stop && (typeof stop[1] === "number" ? cells.get(`${measure} ${stop[0]}:${stop[1]}`) : grid.querySelector(`[data-tooth="${CSS.escape(stop[0])}"]`));
    if (!cell) return;
    if (typeof stop[1] !== "number") { moveTo(at + (key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1)); return; }
    const rows = [...grid.querySelectorAll(`tr.row-${measure}`)];
    const row = cell.parentElement;
    const place = (each) => each.getBoundingClientRect().left;
    let target = null;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const line = [...row.querySelectorAll("td[data-at]")];
      target = line[line.indexOf(cell) + (key === "ArrowRight" ? 1 : -1)];
    } else {
      const next = rows[rows.indexOf(row) + (key === "ArrowDown" ? 1 : -1)];
      const left = place(cell);
      target = next && [...next.querySelectorAll("td[data-at]")].sort((one, two) => Math.abs(place(one) - left) - Math.abs(place(two) - left))[0];
    }
    if (!target) return;
    const [tooth, site] = target.dataset.at.split(":");
    const index = order.findIndex((each) => each[0] === tooth && each[1] === Number(site));
    if (index >= 0) moveTo(index);
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(form.querySelector("[type=submit]")); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || event.target.closest("button")) return;
    const { key } = event;
    if (/^\d$/.test(key)) digit(Number(key));
    else if (key === "+" || (key === "-" && measure === "gm")) { prefix = key; drawCursor(); }
    else if (key in FLAGS) mark(key);
    else if (key in MEASURES) choose(MEASURES[key]);
    else if (key === " " || key === "n") moveTo(at + 1);
    else if (key === "Backspace") back();
    else if (key.startsWith("Arrow")) walk(key);
    else if (key === "Home") moveTo(0);
    else return;
    event.preventDefault();
    event.stopPropagation(); // letters here are no shortcuts of the page
  });
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("td[data-at]");
    if (!cell) return;
    const [tooth, site] = cell.dataset.at.split(":");
    if (cell.dataset.row in { pd: 1, gm: 1, mgj: 1 } && cell.dataset.row !== measure) { measure = cell.dataset.row; order = stops(); }
    const index = order.findIndex((each) => each[0] === tooth && (each[1] === Number(site) || typeof each[1] !== "number"));
    if (index >= 0) moveTo(index);
  });
  for (const button of root.querySelectorAll("[data-measure]")) button.addEventListener("click", () => choose(button.dataset.measure));
  chosen.addEventListener("change", () => { order = stops(); moveTo(0); grid.focus({ preventScroll: true }); });
  /* The teeth that were changed here, also those that were emptied; what was not touched stays as somebody else may have saved it. */
  const base = (key) => JSON.stringify(lean(Object.assign(blank(), page.base[key])));
  form.addEventListener("submit", () => {
    keep.stop();
    form.elements.teeth.value = JSON.stringify(Object.fromEntries(
      Object.entries(teeth).filter(([key, tooth]) => JSON.stringify(lean(tooth)) !== base(key)).map(([key, tooth]) => [key, lean(tooth)])));
    form.elements.window.value = keep.window;
  });

  function drawAll() {
    for (const key of Object.keys(teeth)) {
      for (let site = 0; site < 6; site += 1) drawSite(key, site);
      drawMore(key);
    }
    drawLive();
    drawCursor();
  }
  for (const name of ["note", "reason"]) {
    const field = form.elements[name];
    if (field && page.content[name] !== undefined) field.value = page.content[name];
    field?.addEventListener("input", () => keep());
  }
  drawAll();
  grid.focus({ preventScroll: true });
});
