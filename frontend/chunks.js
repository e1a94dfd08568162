// Fetches the module's chunks. `cargo xtask` puts this before wasm-bindgen's script, whose `wasm` it uses, and fills in the
// files of each chunk: `__FILES__` is `{"job": ["a.wasm", "b.wasm"], …}`.
const chunkFiles = __FILES__;
const chunkAnswers = {};
const chunkInstances = {};

function askForChunk(file) {
  return (chunkAnswers[file] ??= fetch(new URL(file, import.meta.url)));
}

function instantiateChunk(file) {
  return (chunkInstances[file] ??= WebAssembly.instantiateStreaming(askForChunk(file), { __wasm_split: wasm }).catch((error) => {
    // Asked for again when its page is.
    delete chunkAnswers[file];
    delete chunkInstances[file];
    throw error;
  }));
}

const chunkLoader = (name) => async (callback, data) => {
  let arrived = 1;
  try {
    await Promise.all(chunkFiles[name].map(instantiateChunk));
  } catch (error) {
    console.error(error);
    arrived = 0;
  }
  wasm.__indirect_function_table.get(callback)(data, arrived);
};

// Whoever comes in at a page with a chunk gets it while the main module is on its way.
function askEarlyForChunk() {
  const below = document.querySelector('meta[name="attune-page"]')?.content ?? "";
  const [first, second] = location.pathname.slice(below.length).split("/").slice(1);
  const pages = { jobs: second === "new" ? "wizard" : second ? "job" : "jobs", compare: "job" };
  const name = pages[first] ?? (first && "library");
  for (const file of chunkFiles[name] ?? []) askForChunk(file).catch(() => {});
}
askEarlyForChunk();

// The others come into the browser's cache when nothing else is to do, so that no page waits for its code.
function keepChunksAtHand() {
  for (const file of new Set(Object.values(chunkFiles).flat())) {
    if (!chunkAnswers[file]) fetch(new URL(file, import.meta.url), { priority: "low" }).then((answer) => answer.arrayBuffer()).catch(() => {});
  }
}
if (!navigator.connection?.saveData) {
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(keepChunksAtHand), 4000);
}
