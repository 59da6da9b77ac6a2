// What is shown, in the page's address: the link shows the same to others.

// By name: how it is read as text, empty when as at first, and set again.
const kept = new Map();
let section = "";

function keep(name, read, set) {
  kept.set(name, { read, set });
}

// A select or a field by its value; `set` is called with the element after a change.
function keepField(name, selector, set) {
  const field = $(selector);
  if (!field) return;
  const first = field.value;
  keep(name, () => (field.value === first ? "" : field.value), (text) => {
    field.value = text || first;
    if (field.tagName === "SELECT" && field.selectedIndex < 0) field.value = first;
    set(field);
  });
}

// Names as one text; a comma within a name is written with a backslash.
const joined = (names) => [...names].map((name) => name.replace(/[\\,]/g, "\\$&")).join(",");
const parted = (text) => [...text.matchAll(/((?:\\.|[^,\\])+)/g)].map(([part]) => part.replace(/\\(.)/g, "$1"));
const encoded = (text) => encodeURIComponent(text).replace(/%(2C|2F|3A|40)/g, decodeURIComponent);

function fragment() {
  const texts = [...kept].map(([name, { read }]) => [name, read()]);
  if (section) texts.unshift(["at", section]);
  return texts.filter(([, text]) => text).map(([name, text]) => `${name}=${encoded(text)}`).join("&");
}

function remember() {
  clearTimeout(remember.later);
  const text = fragment();
  const now = location.hash.slice(1);
  if (text === now) return;
  try {
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  } catch {
    // within a frame without an address of its own there is nothing to remember in
  }
}

// Shows what the address says; what it does not name is as at first.
function recall() {
  const text = location.hash.slice(1), isSection = !text.includes("=");
  const state = new URLSearchParams(isSection ? "" : text.replace(/\+/g, "%2B"));
  section = isSection ? text : state.get("at") ?? "";
  for (const [name, { set }] of kept) set(state.get(name) ?? "");
  refresh();
  document.getElementById(section)?.scrollIntoView();
}

// A link to a part of the page leaves what is shown as it is.
function follow() {
  const text = location.hash.slice(1);
  if (!text || text.includes("=")) {
    recall();
    return;
  }
  section = text;
  remember();
}

for (const kind of ["change", "input", "click"]) {
  addEventListener(kind, () => {
    clearTimeout(remember.later);
    remember.later = setTimeout(remember, 200);
  });
}
addEventListener("hashchange", follow);

$("#link").addEventListener("click", (event) => {
  section = "";
  remember();
  copy(location.href, event.target, () => "See the address bar");
});
