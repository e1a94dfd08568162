//! The browser's module: cut into chunks, bound to its script, made small.
//!
//! trunk builds the page with a module that still knows where everything refers to. That one is cut at the functions that
//! `frontend/src/chunk.rs` marks: a chunk holds what only its pages need. The main module and its script take the place of
//! trunk's; a chunk's file is named after it. Browsers keep all of them for good, so their names end in a hash of what is in
//! them: trunk's own is of the module as cargo built it, whatever is done to it afterwards.

use crate::{browser_build, glue, process, project};
use anyhow::{Context, Result, anyhow, ensure};
use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
    thread,
};

/// What the module imports the loaders of chunks from.
const LOADERS: &str = "./__wasm_split.js";

/// What our browsers can do, and what our module keeps to: traps never happen (a panic is a call, and stays), nothing lives in
/// the first kilobyte, where the stack would end. Functions are put in the order of their names, so that what is alike
/// stands together.
const OPTIMIZE: [&str; 17] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
    "--traps-never-happen",
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "--merge-similar-functions",
    "-Oz",
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Puts the cut module into `dist/`, in place of trunk's.
///
/// # Errors
/// trunk's page isn't there, a tool fails, or a file can't be read or written.
pub(crate) fn finish() -> Result<()> {
    let place = Place::find()?;
    let work = project::target().join("module");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("can't empty `{}`", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("can't make `{}`", work.display()))?;
    let chunks = cut(&work)?;
    let mut bind = process::command("wasm-bindgen")?;
    bind.args([
        "--target",
        "web",
        "--no-typescript",
        "--keep-lld-exports",
        "--out-name",
        "bound",
        "--out-dir",
    ]);
    process::run(bind.arg(&work).arg(work.join("main.wasm")))?;
    let files = chunks.values().flatten();
    let mut modules: BTreeMap<PathBuf, PathBuf> = files
        .map(|file| (work.join(format!("{file}.wasm")), place.chunk(file)))
        .collect();
    modules.insert(work.join("bound_bg.wasm"), place.module.clone());
    optimize(&modules)?;
    let script = work.join("bound.js");
    let text = fs::read_to_string(&script).with_context(|| format!("can't read `{}`", script.display()))?;
    let path = project::root().join("frontend/chunks.js");
    let loaders = fs::read_to_string(&path).with_context(|| format!("can't read `{}`", path.display()))?;
    write(
        &place.script,
        &with_loaders(&text, &loaders, &chunks, &place.hash)?,
    )?;
    glue::lighten(&place.module, &place.script)?;
    name_by_content(&place.hash)
}

/// Puts a hash of what the files hold into their names, and wherever they are named, in place of trunk's.
fn name_by_content(trunks: &str) -> Result<()> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("can't read `{}`", file.display()));
    let is_ours = |file: &Path| {
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .contains(trunks)
    };
    let (ours, others): (Vec<_>, Vec<_>) = browser_build::files()?
        .into_iter()
        .partition(|file| is_ours(file));
    let mut hasher = DefaultHasher::new();
    for file in &ours {
        hasher.write(&read(file)?);
    }
    let hash = format!("{:016x}", hasher.finish());
    let is_text = |file: &Path| {
        file.extension()
            .is_some_and(|kind| kind == "js" || kind == "html")
    };
    for file in ours.iter().chain(&others).filter(|file| is_text(file)) {
        let text =
            String::from_utf8(read(file)?).with_context(|| format!("`{}` is no text", file.display()))?;
        if text.contains(trunks) {
            write(file, &text.replace(trunks, &hash))?;
        }
    }
    for file in &ours {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .replace(trunks, &hash);
        fs::rename(file, file.with_file_name(name))
            .with_context(|| format!("can't rename `{}`", file.display()))?;
    }
    Ok(())
}

/// Where trunk put what is replaced.
struct Place {
    module: PathBuf,
    script: PathBuf,
    hash: String,
}

impl Place {
    fn find() -> Result<Self> {
        let files = browser_build::files()?;
        let module = files
            .into_iter()
            .find(|file| file.to_string_lossy().ends_with("_bg.wasm"));
        let module = module.context("`dist/` has no module after the build")?;
        let name = module
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let name = name.trim_end_matches("_bg.wasm");
        let (_, hash) = name.rsplit_once('-').context("the module's name has no hash")?;
        Ok(Self {
            script: module.with_file_name(format!("{name}.js")),
            hash: hash.to_owned(),
            module: module.clone(),
        })
    }

    fn chunk(&self, file: &str) -> PathBuf {
        self.module.with_file_name(chunk_name(file, &self.hash))
    }
}

fn chunk_name(file: &str, hash: &str) -> String {
    format!("{}-{hash}.wasm", file.replace('_', "-"))
}

/// Whether a file of `dist/` is a chunk, which the first visit doesn't need.
pub(crate) fn is_chunk(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".wasm") && (name.starts_with("chunk-") || name.starts_with("split-"))
}

/// Cuts the module that cargo built; answers the files of each chunk, without their ending.
fn cut(work: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let built = project::target().join("wasm32-unknown-unknown/frontend/frontend.wasm");
    let module = fs::read(&built).with_context(|| format!("can't read `{}`", built.display()))?;
    let main = work.join("main.wasm");
    let mut options = wasm_split_cli_support::Options::new(&module);
    options.output_dir = work;
    options.main_out_path = &main;
    options.link_name = LOADERS;
    let cut = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("can't cut the module: {error:#}"))?;
    ensure!(!cut.prefetch_map.is_empty(), "the module has no chunks");
    Ok(cut.prefetch_map.into_iter().collect())
}

/// Makes each module small, two at a time: the main one takes about as long as all the others.
fn optimize(modules: &BTreeMap<PathBuf, PathBuf>) -> Result<()> {
    let optimize = |(module, target): (&PathBuf, &PathBuf)| {
        let mut optimize = process::command("wasm-opt")?;
        process::capture(optimize.args(OPTIMIZE).arg(module).arg("-o").arg(target)).map(drop)
    };
    let (main, chunks): (Vec<_>, Vec<_>) = modules
        .iter()
        .partition(|(module, _)| module.ends_with("bound_bg.wasm"));
    thread::scope(|scope| {
        let main = scope.spawn(|| main.into_iter().try_for_each(optimize));
        chunks.into_iter().try_for_each(optimize)?;
        main.join().map_err(|_| anyhow!("wasm-opt's thread broke"))?
    })
}

/// wasm-bindgen's script with the loaders in it, so that they aren't a file more to wait for.
///
/// # Errors
/// The script doesn't import them.
fn with_loaders(
    script: &str,
    loaders: &str,
    chunks: &BTreeMap<String, Vec<String>>,
    hash: &str,
) -> Result<String> {
    let files = chunks.iter().map(|(name, files)| {
        let files = files.iter().map(|file| format!("\"{}\"", chunk_name(file, hash)));
        format!("\"{name}\":[{}]", files.collect::<Vec<_>>().join(","))
    });
    let files = format!("{{{}}}", files.collect::<Vec<_>>().join(","));
    let loads = chunks
        .keys()
        .map(|name| format!("__wasm_split_load_{name}:chunkLoader(\"{name}\")"));
    let loads = loads.collect::<Vec<_>>().join(",");
    let mut text = loaders.replace("__FILES__", &files) + "const chunkLoaders={" + &loads + "};\n";
    // wasm-bindgen names the loaders' file once for each chunk, where it imports and where it hands on.
    let (mut imported, mut handed_on) = (false, false);
    for line in script.lines() {
        if line.starts_with("import ") && line.contains(LOADERS) {
            imported = true;
        } else if line.trim_start().starts_with(&format!("\"{LOADERS}\": import")) {
            if !handed_on {
                text += &format!("\"{LOADERS}\": chunkLoaders,\n");
            }
            handed_on = true;
        } else {
            text += line;
            text.push('\n');
        }
    }
    ensure!(
        imported && handed_on,
        "wasm-bindgen's script doesn't import the loaders"
    );
    Ok(text)
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("can't write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaders_stand_in_the_script_once() {
        let script = "import * as import1 from \"./__wasm_split.js\"\nimport * as import2 from \"./__wasm_split.js\"\nlet wasm;\n\
                      return {\n    \"./__wasm_split.js\": import1,\n    \"./__wasm_split.js\": import2,\n};";
        let chunks = BTreeMap::from([
            (
                "job".to_owned(),
                vec!["chunk_3".to_owned(), "split_job".to_owned()],
            ),
            ("jobs".to_owned(), vec!["split_jobs".to_owned()]),
        ]);
        let text = with_loaders(script, "const chunkFiles = __FILES__;\n", &chunks, "1a").unwrap();
        assert_eq!(
            text,
            "const chunkFiles = {\"job\":[\"chunk-3-1a.wasm\",\"split-job-1a.wasm\"],\"jobs\":[\"split-jobs-1a.wasm\"]};\n\
             const chunkLoaders={__wasm_split_load_job:chunkLoader(\"job\"),__wasm_split_load_jobs:chunkLoader(\"jobs\")};\n\
             let wasm;\nreturn {\n\"./__wasm_split.js\": chunkLoaders,\n};\n"
        );
        assert!(with_loaders("let wasm;", "", &chunks, "1a").is_err());
    }

    #[test]
    fn chunks_are_told_from_the_main_module() {
        assert!(is_chunk(Path::new("dist/split-job-1a.wasm")) && is_chunk(Path::new("dist/chunk-3-1a.wasm")));
        assert!(
            !is_chunk(Path::new("dist/frontend-1a_bg.wasm"))
                && !is_chunk(Path::new("dist/split-job-1a.wasm.br"))
        );
    }
}
