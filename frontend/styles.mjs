// Joins the small style files, each of which stands beside its component, into one that the browser fetches at once.
// Trunk runs this before every build; what it writes is generated and not checked in.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const source = join(root, "src");
const target = join(root, "styles.css");

const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".css"))
  .map((name) => name.replaceAll("\\", "/"))
  .sort();

const parts = files.map((name) => `/* ${relative(root, join(source, name)).replaceAll("\\", "/")} */\n` + readFileSync(join(source, name), "utf8"));
const joined = "@layer tokens, base, components, pages;\n" + parts.join("\n");
if (!existsSync(target) || readFileSync(target, "utf8") !== joined) writeFileSync(target, joined);
