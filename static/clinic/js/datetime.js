/* data-date and data-time: shows beside the field what the typed words mean. The server reads them again and decides. */
import { attach } from "./attach.js";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FORMAT = new Intl.DateTimeFormat(document.documentElement.lang || "en", { weekday: "short", day: "numeric", month: "short", year: "numeric" });

/* "Fri 20 Nov 2026", as everywhere else on the page. */
function inWords(date) {
  const part = Object.fromEntries(FORMAT.formatToParts(date).map(({ type, value }) => [type, value]));
  return `${part.weekday} ${part.day} ${part.month} ${part.year}`;
}

function plus(day, count) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + count);
}

/* A month more keeps the day, or takes the month's last. */
function plusMonths(day, count) {
  const last = new Date(day.getFullYear(), day.getMonth() + count + 1, 0).getDate();
  return new Date(day.getFullYear(), day.getMonth() + count, Math.min(day.getDate(), last));
}

function exact(year, month, day) {
  const date = new Date(year, month - 1, day);
  return date.getFullYear() === year && date.getMonth() === month - 1 && date.getDate() === day ? date : null;
}

function fullYear(text, today, past) {
  const year = Number(text);
  if (text.length === 4) return year;
  const guess = 2000 + year;
  return guess > today.getFullYear() + (past ? 0 : 20) ? guess - 100 : guess;
}

export function parseDate(words, { today = new Date(), order = "mdy", past = false } = {}) {
  const text = words.trim().toLowerCase();
  today = plus(today, 0);
  const named = { today: 0, tomorrow: 1, tom: 1, yesterday: -1 };
  if (text in named) return plus(today, named[text]);
  const weekday = text.match(/^(next\s+)?([a-z]{3,9})$/);
  if (weekday && DAYS.includes(weekday[2].slice(0, 3))) {
    const ahead = (DAYS.indexOf(weekday[2].slice(0, 3)) - today.getDay() + 7) % 7 || 7;
    return plus(today, ahead);
  }
  const step = text.match(/^([+-])\s*(\d{1,3})\s*([dwmy])?$/);
  if (step) {
    const count = Number(step[2]) * (step[1] === "-" ? -1 : 1);
    const unit = step[3] || "d";
    return unit === "d" ? plus(today, count) : unit === "w" ? plus(today, count * 7) : plusMonths(today, unit === "m" ? count : count * 12);
  }
  const iso = text.match(/^(\d{4})-(\d{1,2})-(\d{1,2})$/);
  if (iso) return exact(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const parts = text.match(/^(\d{1,2})[/. -](\d{1,2})(?:[/. -](\d{4}|\d{2}))?\.?$/);
  if (!parts) return null;
  const [month, day] = order === "dmy" ? [parts[2], parts[1]] : [parts[1], parts[2]];
  return exact(parts[3] ? fullYear(parts[3], today, past) : today.getFullYear(), Number(month), Number(day));
}

export function parseTime(words) {
  const match = words.trim().toLowerCase().match(/^(\d{1,2})(?:[:.h]?([0-5]\d))?\s*(a|p|am|pm)?$/);
  if (!match) return null;
  let hour = Number(match[1]);
  const half = match[3]?.[0];
  if (half && (hour < 1 || hour > 12)) return null;
  if (half === "p" && hour < 12) hour += 12;
  if (half === "a" && hour === 12) hour = 0;
  return hour < 24 ? `${hour}:${match[2] || "00"}` : null;
}

function preview(field, read) {
  const place = document.createElement("output");
  place.className = "field-preview";
  place.htmlFor = field.id;
  field.insertAdjacentElement("afterend", place);
  const show = () => {
    const typed = field.value.trim();
    const meant = typed ? read(typed) : "";
    place.classList.toggle("is-unclear", meant === null);
    place.textContent = meant === null ? field.dataset.unclear : meant === typed ? "" : meant;
  };
  field.addEventListener("input", show);
  show();
}

attach("[data-date]", (field) => {
  field.dataset.unclear ||= "Not a date yet: try 3/2/88, tomorrow, mon or +2w";
  const options = { order: field.dataset.date || "mdy", past: "past" in field.dataset };
  preview(field, (typed) => {
    const today = field.dataset.today ? parseDate(field.dataset.today) : new Date();
    const date = parseDate(typed, { ...options, today });
    return date && inWords(date);
  });
});

attach("[data-time]", (field) => {
  field.dataset.unclear ||= "Not a time yet: try 9:30, 930 or 2pm";
  preview(field, parseTime);
});
