//! The frontier as SVG: finish over workers, and cost over workers where there is a price.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::verbs::{FrontierDocument, PointDocument};

const SIZE: (u32, u32) = (900, 420);
const INK: RGBColor = RGBColor(34, 40, 49);
const GOOD: RGBColor = RGBColor(46, 139, 87);
const DOMINATED: RGBColor = RGBColor(200, 200, 200);
const CHOSEN: RGBColor = RGBColor(200, 72, 56);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Refused = Box<dyn std::error::Error>;

/// The picture as SVG text.
///
/// # Errors
/// Where the drawing library refuses, its words.
pub(crate) fn draw(document: &FrontierDocument) -> Result<String, String> {
    let priced = document.points.iter().any(|p| p.cost.is_some());
    let (width, height) = SIZE;
    let mut svg = String::new();
    let drawn = || -> Result<(), Refused> {
        let size = (width, if priced { 2 * height } else { height });
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let panels = area.split_evenly((if priced { 2 } else { 1 }, 1));
        let minutes = |p: &PointDocument| Some(p.finish_ms.as_secs_f64() / 60.0);
        panel(document, &panels[0], ("finish, minutes", &minutes))?;
        if let Some(second) = panels.get(1) {
            panel(document, second, ("cost", &|p| p.cost.map(|c| c.as_f64())))?;
        }
        area.present()?;
        Ok(())
    };
    let mut drawn = drawn;
    drawn().map_err(|e| e.to_string())?;
    Ok(svg)
}

type Value<'a> = &'a dyn Fn(&PointDocument) -> Option<f64>;

fn panel(
    document: &FrontierDocument,
    area: &Area<'_>,
    (title, value): (&str, Value),
) -> Result<(), Refused> {
    let values = || document.points.iter().filter_map(|p| Some((p, value(p)?)));
    let most = values().map(|(_, v)| v).fold(0.0, f64::max).max(1e-6);
    let least = values().map(|(_, v)| v).filter(|v| *v > 0.0).fold(most, f64::min);
    let last = document.points.last().map_or(1, |p| p.workers).max(2);
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .caption(format!("{title}, pool {}", document.pool), ("sans-serif", 16))
        .build_cartesian_2d(
            (1.0..f64::from(last)).log_scale(),
            (least * 0.9..most * 1.1).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("workers")
        .y_desc(title)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    let of = |dominated: bool| {
        values()
            .filter(move |(p, v)| p.dominated == dominated && *v > 0.0)
            .map(|(p, v)| (f64::from(p.workers), v))
    };
    let dot = |color: RGBColor| move |at: (f64, f64)| Circle::new(at, 2, color.filled());
    chart.draw_series(of(true).map(dot(DOMINATED)))?;
    chart.draw_series(of(false).map(dot(GOOD)))?;
    let Some(chosen) = &document.chosen else { return Ok(()) };
    if let Some((point, v)) = values().find(|(p, _)| p.workers == chosen.workers) {
        let at = (f64::from(point.workers), v);
        chart.draw_series([Circle::new(at, 6, CHOSEN.filled())])?;
        let label = format!("{}: {}", chosen.rule, chosen.workers);
        let style = ("sans-serif", 14).into_font().color(&INK);
        chart.draw_series([Text::new(label, at, style)])?;
    }
    Ok(())
}
