/* The grid: a cell that arrows move, cards that keys and the pointer move and stretch. The server decides. */
import { attach, requestHeaders } from "../../clinic/js/attach.js";
import { serverAnswers, sessionEnded } from "../../clinic/js/connection.js";
import { isTyping } from "../../clinic/js/keys.js";
import { showToast } from "../../clinic/js/toast.js";

attach("select[data-submits]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));

attach("[data-schedule]", (schedule) => {
  const says = document.querySelector("[data-schedule-says]");
  const first = Number(schedule.dataset.first);
  const STEP = Number(schedule.dataset.step) / 5; // in rows of five minutes
  const SHORTEST = Math.max(2, STEP);
  const rows = () => Number(schedule.dataset.rows);
  const columns = () => [...schedule.querySelectorAll("[data-column]")];
  const week = schedule.dataset.by === "week";
  let cell = { column: 0, at: 12, length: SHORTEST };
  let moving = null;

  const say = (words) => { if (says) says.textContent = words; };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const clock = (at) => `${Math.floor((first + at * 5) / 60)}:${String((first + at * 5) % 60).padStart(2, "0")}`;
  const rowOf = (card) => Number([...card.classList].find((name) => name.startsWith("at-")).slice(3));
  const lengthOf = (card) => Number([...card.classList].find((name) => name.startsWith("for-")).slice(4));

  function place(element, at, length) {
    for (const name of [...element.classList]) if (/^(at|for)-\d+$/.test(name)) element.classList.remove(name);
    element.classList.add(`at-${at}`);
    if (length) element.classList.add(`for-${length}`);
  }

  /* The wall time of a row; the server knows the clinic's zone. */
  const wall = (columnIndex, at) => `${columns()[columnIndex].dataset.day}T${clock(at).padStart(5, "0")}`;

  /* The free cell */
  function drawCell(focus) {
    if (!schedule.dataset.book) return;
    schedule.querySelector(".cell")?.remove();
    const column = columns()[cell.column];
    if (!column) return;
    const button = document.createElement("button");
    button.type = "button";
    const until = cell.length > SHORTEST ? `-${clock(cell.at + cell.length)}` : "";
    button.className = `cell at-${cell.at} for-${cell.length}`;
    button.textContent = clock(cell.at) + until;
    button.setAttribute("aria-label", `${clock(cell.at)}${until}, ${column.dataset.name}: book`);
    button.dataset.keysOwn = "";
    column.append(button);
    if (focus) {
      button.focus({ preventScroll: true });
      button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  /* The address of a form for the chosen time. */
  function formFor(address, { column: index, at, length }) {
    const column = columns()[index];
    const url = new URL(address, window.location.href);
    url.searchParams.set("at", wall(index, at));
    if (schedule.dataset.by === "operatory") url.searchParams.set("operatory", column.dataset.column);
    else url.searchParams.set("provider", week ? schedule.dataset.provider : column.dataset.column);
    return [url, `${clock(at)}-${clock(at + length)}`];
  }

  function bookingOf(chosen) {
    const [url, words] = formFor(schedule.dataset.book, chosen);
    if (chosen.length > SHORTEST) url.searchParams.set("minutes", String(chosen.length * 5));
    return [url, words];
  }

  function blockingOf(chosen) {
    const [url, words] = formFor(schedule.dataset.block, chosen);
    url.searchParams.set("until", wall(chosen.column, chosen.at + chosen.length));
    return [url, words];
  }

  function bookCell() {
    if (schedule.dataset.book) window.location.assign(bookingOf(cell)[0]);
  }

  function stretchCell(by) {
    const next = columns()[cell.column].querySelectorAll("[data-card]");
    const limit = Math.min(rows(), ...[...next].map(rowOf).filter((at) => at >= cell.at + 1));
    cell.length = clamp(cell.length + by, SHORTEST, Math.max(SHORTEST, limit - cell.at));
    drawCell(true);
    say(`${clock(cell.at)} to ${clock(cell.at + cell.length)}`);
  }

  /* The card under the cell, so that arrows walk from free time onto visits and off again. */
  const cardAt = (column, at) => [...column.querySelectorAll("[data-card]")].find(
    (card) => rowOf(card) <= at && at < rowOf(card) + lengthOf(card));

  function goTo(columnIndex, at, direction) {
    const all = columns();
    cell = { column: clamp(columnIndex, 0, all.length - 1), at: clamp(at, 0, rows() - SHORTEST), length: SHORTEST };
    const card = cardAt(all[cell.column], cell.at);
    if (card) {
      if (direction === "down") cell.at = rowOf(card);
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest", inline: "nearest" });
      schedule.querySelector(".cell")?.remove();
      return;
    }
    drawCell(true);
  }

  async function send(card, columnIndex, at, length) {
    const body = new FormData();
    body.set("starts_at", wall(columnIndex, at));
    body.set("minutes", String(length * 5));
    body.set("version", card.dataset.version);
    body.set("once", crypto.randomUUID());
    if (schedule.dataset.by === "operatory") body.set("operatory", columns()[columnIndex].dataset.column);
    if (schedule.dataset.by === "provider") body.set("provider", columns()[columnIndex].dataset.column);
    let answer;
    try {
      answer = await fetch(`${card.getAttribute("href")}drop/`, { method: "POST", body, headers: requestHeaders(), redirect: "manual" });
    } catch {
      showToast("The server can't be reached, so it stays where it was.", "red");
      await reload(card.dataset.card);
      return;
    }
    if (answer.status === 401) sessionEnded();
    const moved = answer.type === "opaqueredirect" || answer.ok;
    const place = `${clock(at)}, ${columns()[columnIndex].dataset.name}`;
    const why = !moved && (answer.headers.get("Content-Type") || "").startsWith("text/plain") ? await answer.text() : "It could not be moved.";
    await reload(card.dataset.card); // First, so that the next act starts from what is on record.
    if (moved) say(`Moved to ${place}`);
    showToast(moved ? `Moved to ${place}.` : `${why} It stays where it was.`, moved ? "green" : "red");
  }

  async function reload(focusCard, after = "-", asked = {}) {
    const url = new URL(schedule.dataset.url, window.location.href);
    url.searchParams.set("after", after);
    const answer = await fetch(url, { headers: { ...requestHeaders(), ...asked }, cache: "no-store" });
    if (answer.redirected || answer.status === 401 || answer.status === 403) sessionEnded();
    if (answer.status !== 200 || answer.redirected) return;
    const { scrollTop, scrollLeft } = schedule;
    schedule.innerHTML = await answer.text();
    schedule.scrollTo(scrollLeft, scrollTop);
    prepare();
    window.htmx?.process(schedule);
    if (focusCard) schedule.querySelector(`[data-card="${CSS.escape(focusCard)}"]`)?.focus({ preventScroll: true });
  }

  /* What others change appears by itself; not while a visit is carried or something is open over the grid. */
  const inUse = () => document.hidden || moving || schedule.querySelector(".is-moving") ||
    document.querySelector("dialog[open], [popover]:popover-open");
  let failures = 0;

  async function refresh() {
    const here = document.activeElement;
    const hadCell = schedule.querySelector(".cell");
    const cellFocused = hadCell && hadCell === here;
    if (!inUse()) {
      const head = schedule.querySelector("[data-token]");
      try {
        await reload(here?.closest?.("[data-card]")?.dataset.card, head.dataset.token, { "X-Poll": "1" });
        if (failures > 1) serverAnswers(true);
        failures = 0;
        if (hadCell && !schedule.querySelector(".cell")) drawCell(cellFocused);
        const now = schedule.querySelector("[data-token]");
        if (now.dataset.first !== schedule.dataset.first || now.dataset.rows !== schedule.dataset.rows) window.location.reload();
      } catch {
        failures += 1;
        if (failures === 2) serverAnswers(false);
      }
    }
    setTimeout(refresh, Number(schedule.dataset.seconds) * 1000 * Math.min(4, 1 + failures));
  }
  setTimeout(refresh, Number(schedule.dataset.seconds) * 1000);

  /* Moving by keys: m takes the card, arrows carry it, Enter drops, Esc puts it back. */
  function take(card) {
    if (!("moves" in card.dataset) || !("moves" in schedule.dataset)) {
      say("This can't be moved");
      return;
    }
    moving = { card, home: card.parentElement, column: columns().indexOf(card.parentElement), at: rowOf(card), length: lengthOf(card), from: [rowOf(card), lengthOf(card)] };
    card.classList.add("is-moving");
    say("Moving: arrows carry it, Enter drops it, Escape puts it back");
  }

  function carry(columnStep, rowStep) {
    moving.column = clamp(moving.column + columnStep, 0, columns().length - 1);
    moving.at = clamp(moving.at + rowStep, 0, rows() - moving.length);
    columns()[moving.column].append(moving.card);
    place(moving.card, moving.at, moving.length);
    moving.card.focus({ preventScroll: true });
    moving.card.scrollIntoView({ block: "nearest", inline: "nearest" });
    say(`${clock(moving.at)}, ${columns()[moving.column].dataset.name}`);
  }

  function drop() {
    const { card, column, at, length } = moving;
    moving = null;
    card.classList.remove("is-moving");
    send(card, column, at, length);
  }

  function putBack() {
    const { card, home, from } = moving;
    moving = null;
    card.classList.remove("is-moving");
    home.append(card);
    place(card, from[0], from[1]);
    card.focus();
    say("Put back");
  }

  function stretch(card, by) {
    const length = clamp(lengthOf(card) + by, 1, rows() - rowOf(card));
    if (!("moves" in card.dataset) || !("moves" in schedule.dataset) || length === lengthOf(card)) return;
    place(card, rowOf(card), length);
    send(card, columns().indexOf(card.parentElement), rowOf(card), length);
  }

  const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

  schedule.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const card = event.target.closest("[data-card]");
    const arrow = ARROWS[event.key];
    if (arrow && !schedule.dataset.book) return; // Nothing to choose here: the arrows scroll, Tab walks the visits.
    if (arrow) {
      event.preventDefault();
      if (moving) carry(arrow[0], arrow[1] * STEP);
      else if (event.shiftKey && event.target.closest(".cell") && arrow[1]) stretchCell(arrow[1] * STEP);
      else if (card && arrow[1]) goTo(columns().indexOf(card.parentElement), arrow[1] > 0 ? rowOf(card) + lengthOf(card) : rowOf(card) - STEP, "");
      else if (card) goTo(columns().indexOf(card.parentElement) + arrow[0], rowOf(card), "");
      else goTo(cell.column + arrow[0], cell.at + arrow[1] * STEP, "down");
      return;
    }
    if (moving) {
      if (event.key === "Enter") { event.preventDefault(); drop(); }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); putBack(); }
      return;
    }
    if (!card) {
      if (event.key === "B" && schedule.dataset.block && event.target.closest(".cell")) {
        event.preventDefault();
        window.location.assign(blockingOf(cell)[0]);
      }
      if (!schedule.dataset.book || !["Enter", "b", "n"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.target.closest(".cell")) bookCell();
      else goTo(cell.column, cell.at, "down");
      return;
    }
    if (event.key === "m") { event.preventDefault(); event.stopPropagation(); take(card); }
    if (event.key === "+" || event.key === "=") { event.preventDefault(); stretch(card, STEP); }
    if (event.key === "-") { event.preventDefault(); stretch(card, -STEP); }
    const step = { c: "check-in/", o: "exit/", x: "cancel/" }[event.key];
    if (step && !card.classList.contains("is-block")) { event.preventDefault(); event.stopPropagation(); window.location.assign(card.getAttribute("href") + step); }
  });

  /* An arrow or b anywhere on the page enters the grid. */
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (document.documentElement.classList.contains("keys-off")) return;
    if (schedule.contains(event.target)) return;
    if (event.key in ARROWS && schedule.dataset.book && !event.target.closest("a, button, summary, [popover]")) { event.preventDefault(); goTo(cell.column, cell.at, "down"); }
    if (event.key === "b" && schedule.dataset.book) { event.preventDefault(); goTo(cell.column, cell.at, "down"); }
  });

  /* The pointer: a click on free time books it, a card can be dragged, its lower edge stretches it. */
  const rowUnder = (column, y) => Math.floor((y - column.getBoundingClientRect().top) / tickHeight());
  const tickHeight = () => schedule.querySelector("[data-column]").clientHeight / rows();

  let dragged = false; // then the click that ends a drag books nothing

  schedule.addEventListener("click", (event) => {
    const column = event.target.closest("[data-column]");
    if (dragged) { dragged = false; return; }
    if (!column || event.target.closest("[data-card]") || !schedule.dataset.book) return;
    const chosen = event.target.closest(".cell");
    if (chosen) { bookCell(); return; }
    cell = { column: columns().indexOf(column), at: clamp(Math.floor(rowUnder(column, event.clientY) / STEP) * STEP, 0, rows() - SHORTEST), length: SHORTEST };
    bookCell();
  });

  /* A drag over free time chooses it; then one says what for. */
  schedule.addEventListener("pointerdown", (event) => {
    const column = event.target.closest("[data-column]");
    dragged = false;
    if (!column || event.button !== 0 || event.pointerType === "touch" || event.target.closest("[data-card], .cell")) return;
    if (!schedule.dataset.book && !schedule.dataset.block) return;
    const from = Math.floor(rowUnder(column, event.clientY) / STEP) * STEP;
    const chosen = { column: columns().indexOf(column), at: from, length: 0 };
    let mark = null;

    function onMove(moved) {
      if (!mark && Math.abs(moved.clientY - event.clientY) < 6) return;
      if (!mark) {
        dragged = true;
        mark = document.createElement("span");
        mark.className = "chosen";
        column.append(mark);
      }
      const to = clamp(Math.floor(rowUnder(column, moved.clientY) / STEP) * STEP, 0, rows() - 1);
      chosen.at = Math.min(from, to);
      chosen.length = Math.min(Math.abs(to - from) + STEP, rows() - chosen.at);
      place(mark, chosen.at, chosen.length);
    }

    function onEnd(ended) {
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onEnd);
      window.removeEventListener("pointercancel", onEnd);
      if (!mark) return;
      if (ended.type === "pointercancel") { mark.remove(); return; }
      setTimeout(() => askWhatFor(chosen, mark, ended)); // After the click: what opens before it, it would shut again.
    }
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onEnd);
    window.addEventListener("pointercancel", onEnd);
  });

  function askWhatFor(chosen, mark, { clientX, clientY }) {
    const menu = document.createElement("div");
    menu.className = "menu";
    menu.popover = "auto";
    menu.setAttribute("role", "group");
    menu.setAttribute("aria-label", "What for");
    const choices = [];
    if (schedule.dataset.book) choices.push(["Book", bookingOf(chosen)]);
    if (schedule.dataset.block) choices.push(["Block", blockingOf(chosen)]);
    for (const [verb, [url, words]] of choices) {
      const link = document.createElement("a");
      link.className = "menu-item";
      link.href = url;
      link.textContent = `${verb} ${words}`;
      menu.append(link);
    }
    schedule.after(menu);
    menu.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      mark.remove();
      menu.remove();
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      [...menu.children].find((link) => link !== document.activeElement)?.focus();
    });
    menu.showPopover();
    const size = menu.getBoundingClientRect();
    menu.style.margin = "0";
    menu.style.left = `${Math.min(clientX, window.innerWidth - size.width - 8)}px`;
    menu.style.top = `${Math.min(clientY, window.innerHeight - size.height - 8)}px`;
    menu.firstElementChild.focus();
  }

  schedule.addEventListener("pointerdown", (event) => {
    const card = event.target.closest("[data-card][data-moves]");
    if (!card || event.button !== 0 || !("moves" in schedule.dataset) || moving) return;
    const box = card.getBoundingClientRect();
    const stretches = box.bottom - event.clientY < 6;
    const grip = Math.floor((event.clientY - box.top) / tickHeight());
    const start = { x: event.clientX, y: event.clientY, at: rowOf(card), length: lengthOf(card), column: columns().indexOf(card.parentElement) };
    const now = { ...start };
    let carried = false;

    function onMove(moved) {
      if (!carried && Math.hypot(moved.clientX - start.x, moved.clientY - start.y) < 5) return;
      if (!carried) {
        carried = true;
        card.setPointerCapture(event.pointerId);
        card.classList.add("is-moving");
      }
      if (stretches) {
        now.length = clamp(Math.round((rowUnder(card.parentElement, moved.clientY) - start.at) / STEP) * STEP, SHORTEST, rows() - start.at);
        place(card, start.at, now.length);
        return;
      }
      const over = columns().findIndex((column) => {
        const edges = column.getBoundingClientRect();
        return edges.left <= moved.clientX && moved.clientX < edges.right;
      });
      if (over >= 0) now.column = over;
      const column = columns()[now.column];
      now.at = clamp(Math.round((rowUnder(column, moved.clientY) - grip) / STEP) * STEP, 0, rows() - start.length);
      if (card.parentElement !== column) column.append(card);
      place(card, now.at, start.length);
    }

    function onEnd(ended) {
      card.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onEnd);
      window.removeEventListener("pointercancel", onEnd);
      if (!carried) return;
      card.classList.remove("is-moving");
      card.addEventListener("click", (click) => { click.preventDefault(); click.stopImmediatePropagation(); }, { capture: true, once: true });
      if (ended.type === "pointercancel" || now.at === start.at && now.length === start.length && now.column === start.column) {
        columns()[start.column].append(card);
        place(card, start.at, start.length);
        return;
      }
      send(card, now.column, now.at, now.length);
    }
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onEnd);
    window.addEventListener("pointercancel", onEnd);
  });
  schedule.addEventListener("dragstart", (event) => event.preventDefault());

  function prepare() {
    for (const card of schedule.querySelectorAll("[data-card][data-moves]")) {
      const edge = document.createElement("span");
      edge.className = "card-edge";
      card.append(edge);
    }
  }

  prepare();
  /* Where the day begins to matter: the present moment, else the first working minute or visit. */
  function startOfDay() {
    const now = schedule.querySelector("[data-now]");
    if (now) return rowOf(now);
    const opens = columns().map((column) => {
      const closed = column.querySelector(".grid-closed.at-0");
      return closed ? lengthOf(closed) : 0;
    }).filter((at) => at < rows());
    const visits = [...schedule.querySelectorAll("[data-card]")].map(rowOf);
    return Math.min(...opens, ...visits, rows());
  }
  const start = startOfDay();
  if (start < rows()) {
    schedule.scrollTop = Math.max(0, start * tickHeight() - (schedule.querySelector("[data-now]") ? 90 : 8));
    cell.at = Math.floor(clamp(start, 0, rows() - SHORTEST) / STEP) * STEP;
  }
});
