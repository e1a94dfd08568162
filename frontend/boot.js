// Runs before the first paint, while the module is still on its way.
let theme = null;
let language = null;
let signedIn = false;
try {
  theme = localStorage.getItem("attune.theme");
  language = localStorage.getItem("attune.language");
  signedIn = localStorage.getItem("attune.signed-in") === "1";
} catch {
  // Storage is forbidden: the system's theme it is, and the module asks whether anybody is signed in.
}

// Shows the chosen theme, so that the page doesn't flash in the other one.
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

// The frame says in German what language.rs would make the app say. The words are those of text/de.rs; a test compares them.
language ??= navigator.languages.find((tag) => /^(de|en)\b/i.test(tag)) ?? "en";
if (/^de\b/i.test(language)) {
  document.documentElement.lang = "de";
  const words = ["Übersicht", "Jobs", "Datensätze", "Modelle", "Playground", "Optionen"];
  // Fired when the frame is there, before any module runs.
  document.addEventListener("readystatechange", () => {
    document.querySelectorAll("#app .nav-label").forEach((label, index) => (label.textContent = words[index]));
  }, { once: true });
}

// The address of api/jobs.rs's overview: this week began on Monday, this month on the first, where the user lives.
function overview() {
  const now = new Date();
  const start = (day) => encodeURIComponent(new Date(now.getFullYear(), now.getMonth(), day).toISOString());
  return `/api/jobs?limit=6&week_from=${start(now.getDate() - ((now.getDay() + 6) % 7))}&month_from=${start(1)}`;
}

// Asks for what every page needs; api.rs takes each answer once. A visitor who isn't signed in would only be refused.
function askEarly(api) {
  if (!signedIn || location.search.includes("token=")) return;
  window.attuneEarly = {};
  for (const path of ["/api/session", "/api/capabilities", overview()]) {
    const answer = fetch(api + path, { headers: { "x-attune": "1" }, credentials: "include" });
    answer.catch(() => {}); // The module asks again and tells.
    window.attuneEarly[path] = answer;
  }
}

// Only the page of a static host carries this mark: the path that it is served at. config.json there names the server.
const mark = document.querySelector('meta[name="attune-page"]');
if (mark) {
  window.attunePlace = (async () => {
    const answer = await fetch(`${mark.content}/config.json`, { cache: "no-cache" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { api_url: api = "" } = await answer.json();
    askEarly(api);
    return { page: mark.content, api };
  })();
  window.attunePlace.catch(() => {}); // The module waits for it too and tells.
} else {
  askEarly("");
}
