"use strict";
// What every part of the page uses, and the theme. No library, no network.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const phone = matchMedia("(max-width: 600px)");

// An element with properties, attributes (data and ARIA too) and children; never any markup.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("#theme").setAttribute("aria-pressed", dark);
  $("#theme").textContent = dark ? "Light" : "Dark";
}
const wantsDark = matchMedia("(prefers-color-scheme: dark)");
theme(wantsDark.matches);
wantsDark.addEventListener("change", (event) => theme(event.matches));
$("#theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"));

// Controls are folded on a phone and open elsewhere.
function fold() {
  for (const part of $$(".fold")) part.open = !phone.matches;
}
phone.addEventListener("change", fold);
fold();

// Copies a text; where that is not allowed, selects the element that has it.
async function copy(text, button, otherwise) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = otherwise();
  }
  setTimeout(() => { button.textContent = before; }, 2000);
}

$("#copy").addEventListener("click", (event) => copy($("#command").textContent, event.target, () => {
  getSelection().selectAllChildren($("#command"));
  return "Selected";
}));
