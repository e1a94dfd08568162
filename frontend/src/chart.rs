//! Charts of our own, in SVG. They never hide an extreme: what is drawn is what came, and what isn't a number is marked.

pub mod geometry;
pub mod line_chart;
pub mod ring;
pub mod sparkline;
