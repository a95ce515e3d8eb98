//! The targets as a picture: one bar each, its length what was measured in parts of the limit.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::document::{BenchDocument, Target};
use super::text::target_cells;

const WIDTH: i32 = 1_060;
const ROW: i32 = 26;
const TOP: i32 = 46;
/// Where the bars begin, and how long one is that just meets its limit.
const BARS: i32 = 520;
const LIMIT: f64 = 260.0;
const LONGEST: f64 = 1.6;

const INK: RGBColor = RGBColor(34, 40, 49);
const FAINT: RGBColor = RGBColor(150, 158, 168);
const MET: RGBColor = RGBColor(46, 139, 87);
const MISSED: RGBColor = RGBColor(200, 72, 56);

/// The targets of a document as SVG text.
///
/// # Errors
/// Where the drawing library refuses, its words.
pub fn picture(document: &BenchDocument) -> Result<String, String> {
    let height = TOP + ROW * document.targets.len().max(1) as i32 + 18;
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32));
        draw(document, &area.into_drawing_area(), height)
    };
    drawn.map_err(|e| e.to_string()).map(|()| svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Refused = Box<dyn std::error::Error>;

fn draw(document: &BenchDocument, area: &Area<'_>, height: i32) -> Result<(), Refused> {
    area.fill(&WHITE)?;
    let title =
        "What was measured, in parts of what is demanded (a bar that crosses the line misses)";
    area.draw(&Text::new(title, (14, 12), ("sans-serif", 16).into_font().color(&INK)))?;
    for (row, target) in document.targets.iter().enumerate() {
        draw_target(target, area, TOP + ROW * row as i32)?;
    }
    let line = BARS + LIMIT as i32;
    area.draw(&PathElement::new([(line, TOP - 6), (line, height - 12)], INK.stroke_width(1)))?;
    area.present()?;
    Ok(())
}

fn draw_target(target: &Target, area: &Area<'_>, top: i32) -> Result<(), Refused> {
    let [id, what, limit, measured, _] = target_cells(target);
    let small = |color: &RGBColor| ("sans-serif", 13).into_font().color(color);
    let middle = top + ROW / 2;
    let left = small(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(id, (14, middle), left.clone()))?;
    area.draw(&Text::new(what, (74, middle), left))?;
    let color = if target.met { MET } else { MISSED };
    let end = BARS + (LIMIT * part_of_limit(target)) as i32;
    let bar = [(BARS, top + 5), (end.max(BARS + 2), top + ROW - 5)];
    area.draw(&Rectangle::new(bar, color.filled()))?;
    let beside = small(&FAINT).pos(Pos::new(HPos::Left, VPos::Center));
    let words = format!("{measured}  ({limit})");
    area.draw(&Text::new(words, (BARS + (LIMIT * LONGEST) as i32 + 10, middle), beside))?;
    Ok(())
}

/// 1 at the limit, above it where the target is missed; what must be reached is turned over.
fn part_of_limit(target: &Target) -> f64 {
    let (over, under) = if target.at_most {
        (target.measured, target.limit)
    } else {
        (target.limit, target.measured)
    };
    let part = if under > 0.0 {
        over / under
    } else if over > 0.0 {
        LONGEST
    } else {
        0.0
    };
    part.clamp(0.0, LONGEST)
}
