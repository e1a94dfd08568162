// Runs before the first paint. Shows the chosen theme, so that the page doesn't flash in the other one.
try {
  const theme = localStorage.getItem("attune.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system's theme it is.
}

// Asks for what every page needs while the module is still on its way; api.rs takes each answer once.
if (!location.search.includes("token=")) {
  window.attuneEarly = {};
  for (const path of ["/api/session", "/api/capabilities", "/api/jobs?limit=6"]) {
    const answer = fetch(path, { headers: { "x-attune": "1" } });
    answer.catch(() => {}); // The module asks again and tells.
    window.attuneEarly[path] = answer;
  }
}
