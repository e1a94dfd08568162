//! Charts of our own, in SVG. They never hide an extreme: what is drawn is what came, and what isn't a number is marked.

pub mod export;
pub mod geometry;
pub mod line_chart;
pub mod lines;
pub mod measure;
pub mod ring;
pub mod sparkline;
pub mod spikes;
pub mod tools;
pub mod view;
