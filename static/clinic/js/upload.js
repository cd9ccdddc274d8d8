/* Adding documents: files are dropped or chosen, each with its own kind, progress and answer; and a card, photographed twice. */
import { attach, attachWithin, requestHeaders } from "./attach.js";
import { sessionEnded } from "./connection.js";
import { showToast } from "./toast.js";

const WORDS = {
  0: "The server can't be reached. Nothing is lost: add it again in a moment.",
  401: "Sign in again, then add it again.",
  403: "Your role may not add documents.",
  413: "It is too large.",
};

/* A key of its own for each file: sent again after a broken connection, it is filed once. */
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function send(url, body, key, onProgress) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries({ ...requestHeaders(), "Idempotency-Key": key })) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener("loadend", () => done(request));
    request.send(body);
  });
}

/* The server's own sentence when it sent one, else the words for the status. */
function sentence(request) {
  const isText = (request.getResponseHeader("Content-Type") || "").startsWith("text/plain");
  return isText ? request.responseText : WORDS[request.status] || "That did not work on our side. Nothing was saved; add it again.";
}

attach("form[data-filing]", (form) => {
  const find = (name) => form.querySelector(`[data-filing-${name}]`);
  const [list, template, words, said] = ["rows", "row", "words", "said"].map(find);
  const input = form.querySelector("input[type=file]");
  const kinds = form.querySelector("[name=kind]");
  const drop = form.querySelector("[data-drop]");
  const button = form.querySelector("[type=submit]");
  const mostBytes = Number(form.dataset.mostBytes);
  const mostFiles = Number(form.dataset.mostFiles);
  const rows = new Map();

  function show() {
    list.hidden = !rows.size;
    button.disabled = !rows.size;
    words.textContent = rows.size ? `Add ${rows.size} document${rows.size > 1 ? "s" : ""}` : "Add";
  }

  function refuse(row, text) {
    row.element.classList.add("is-wrong");
    row.part("wrong").textContent = text;
    row.part("wrong").hidden = false;
    row.part("progress").hidden = true;
  }

  function add(file) {
    if (rows.size >= mostFiles) {
      showToast(`At most ${mostFiles} files at once. Add these first.`, "amber");
      return;
    }
    const element = template.content.firstElementChild.cloneNode(true);
    const row = { file, element, key: newKey(), again: false, part: (name) => element.querySelector(`[data-row-${name}]`) };
    row.part("name").textContent = row.part("name").title = file.name;
    row.part("kind").append(...[...kinds.options].map((option) => option.cloneNode(true)));
    row.part("kind").value = kinds.value;
    row.part("kind").setAttribute("aria-label", `What ${file.name} is`);
    row.part("progress").setAttribute("aria-label", file.name);
    row.part("remove").setAttribute("aria-label", `Leave out ${file.name}`);
    row.part("remove").addEventListener("click", () => { leaveOut(row); });
    row.part("again").addEventListener("click", () => {
      row.again = true;
      fileAll([row]);
    });
    rows.set(element, row);
    list.append(element);
    if (file.size > mostBytes) refuse(row, `${file.name} is larger than ${Math.round(mostBytes / 1024 / 1024)} MB.`);
    show();
  }

  function leaveOut(row) {
    rows.delete(row.element);
    row.element.remove();
    show();
  }

  async function fileOne(row) {
    const body = new FormData();
    body.set("files", row.file, row.file.name);
    body.set("kind", row.part("kind").value);
    if (row.again) body.set("again", "on");
    row.element.classList.remove("is-wrong");
    row.part("wrong").hidden = row.part("again").hidden = true;
    row.part("progress").hidden = false;
    const answer = await send(form.action, body, row.key, (share) => {
      if (share < 1) row.part("progress").value = 100 * share;
      else row.part("progress").removeAttribute("value"); // received; now it is looked into
    });
    if (answer.status !== 201) {
      refuse(row, sentence(answer));
      row.part("again").hidden = answer.status !== 409;
      if (answer.status === 401) sessionEnded();
      return false;
    }
    const papers = document.getElementById("papers");
    papers.insertAdjacentHTML("afterbegin", answer.responseText);
    papers.firstElementChild.classList.add("is-new");
    attachWithin(papers.firstElementChild);
    document.querySelector("[data-papers-empty]")?.remove();
    leaveOut(row);
    return true;
  }

  async function fileAll(chosen) {
    button.disabled = true;
    button.classList.add("is-busy");
    let added = 0;
    for (const row of chosen) {
      if (row.file.size <= mostBytes && await fileOne(row)) added += 1;
    }
    button.classList.remove("is-busy");
    show();
    const wrong = rows.size ? ` ${rows.size} not added: see why beside each.` : "";
    said.textContent = `${added} added.${wrong}`;
    if (added) showToast(`${added} document${added > 1 ? "s" : ""} added.${wrong}`, rows.size ? "amber" : "green");
  }

  input.addEventListener("change", () => {
    for (const file of input.files) add(file);
    input.value = ""; // the rows hold them now
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fileAll([...rows.values()]);
  });

  /* A file that is dropped beside the box must not take the page's place. */
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("is-over"); });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    drop.classList.remove("is-over");
    for (const file of event.dataTransfer.files) add(file);
    list.querySelector("select")?.focus({ preventScroll: true });
  });
  window.addEventListener("beforeunload", (event) => { if (rows.size) event.preventDefault(); });
  show();
});

attach("form[data-scan]", (form) => {
  const [front, back] = ["front", "back"].map((name) => form.querySelector(`[name=${name}]`));
  const said = form.querySelector("[data-scan-said]");
  const save = form.querySelector("[type=submit]");

  async function draw(input) {
    const canvas = input.closest(".scan-side").querySelector("canvas");
    try {
      const picture = await createImageBitmap(input.files[0]);
      const scale = Math.min(1, 320 / picture.width, 200 / picture.height);
      canvas.width = picture.width * scale;
      canvas.height = picture.height * scale;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.hidden = false;
    } catch { /* The server says what it can't read. */ }
  }

  function next() {
    front.closest(".scan-side").classList.toggle("is-next", !front.files.length);
    back.closest(".scan-side").classList.toggle("is-next", front.files.length > 0 && !back.files.length);
    save.hidden = !front.files.length;
    save.querySelector("[data-scan-save]").textContent = back.files.length ? "Save the card" : "Save without a back";
  }

  for (const input of [front, back]) {
    input.addEventListener("change", () => {
      if (!input.files.length) return;
      draw(input);
      next();
      if (front.files.length && back.files.length) {
        said.textContent = "Both sides are taken. Saving.";
        form.requestSubmit();
      } else if (input === front) {
        said.textContent = "Now the back.";
        back.focus({ preventScroll: true });
      } else {
        said.textContent = "Now the front.";
      }
    });
  }
  next();
});
