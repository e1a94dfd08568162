//! Has the crate built again when a file is added to what it embeds: the macros that embed see only those they knew.

fn main() {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=migrations");
}
