// Runs before the first paint: shows the chosen theme, so that the page doesn't flash in the other one.
try {
  const theme = localStorage.getItem("attune.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system's theme it is.
}
