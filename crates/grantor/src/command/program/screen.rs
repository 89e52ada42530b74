//! What standard error is: a terminal with room for a picture, or lines that somebody reads later.

use crate::output;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use terminal_size::{Height, Width, terminal_size_of};

/// The terminal behind standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Screen {
    columns: usize,
    rows: usize,
    color: bool,
}

/// What a terminal has that does not say how large it is.
const USUAL: (Width, Height) = (Width(80), Height(24));

/// Below the picture stand an empty line and the one that moves.
const BELOW: usize = 2;

/// Black on white, by the numbers of the 256 colours that no theme changes: scanners read it on a light terminal as on a
/// dark one.
const INK: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

impl Screen {
    /// Nothing where there is no terminal, or one that can only write line after line (`TERM=dumb`).
    pub(super) fn of_stderr() -> Option<Self> {
        output::is_screen().then(|| {
            let (Width(columns), Height(rows)) = terminal_size_of(std::io::stderr()).unwrap_or(USUAL);
            Self { columns: columns.into(), rows: rows.into(), color: output::color() }
        })
    }

    /// A text as a QR code; nothing where it does not fit, for a broken one cannot be read. Without colours a dark
    /// terminal is taken for granted: on a light one it is inverted, which many scanners read all the same.
    pub(super) fn qr(self, text: &str) -> Option<String> {
        // The lowest level of correction makes the smallest code, and nothing wears off on a screen.
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let mut pixels = code.render::<Dense1x2>();
        if !self.color {
            pixels.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
        }
        let drawn = pixels.build();
        let fits = drawn.lines().all(|line| line.chars().count() <= self.columns);
        if !fits || drawn.lines().count() + BELOW > self.rows {
            return None;
        }
        if !self.color {
            return Some(drawn);
        }
        Some(drawn.lines().map(|line| format!("{INK}{line}{PLAIN}")).collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://id.example/device?user_code=BCDF-GHJK";

    fn screen(columns: usize, rows: usize, color: bool) -> Screen {
        Screen { columns, rows, color }
    }

    /// What a scanner sees: black is `true`, two points in each character.
    fn read(drawn: &str, foreground_is_black: bool) -> String {
        let lines: Vec<Vec<char>> =
            drawn.lines().map(|line| line.trim_start_matches(INK).trim_end_matches(PLAIN).chars().collect()).collect();
        let size = lines[0].len();
        let black = |x: usize, y: usize| {
            let upper = y.is_multiple_of(2);
            let inked = match lines[y / 2][x] {
                '█' => true,
                '▀' => upper,
                '▄' => !upper,
                _ => false,
            };
            inked == foreground_is_black
        };
        // Several points for each, as in a photograph.
        let photograph = |x: usize, y: usize| if black(x / 4, y / 4) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(size * 4, size * 4, photograph);
        let found = image.detect_grids();
        assert_eq!(found.len(), 1, "{drawn}");
        found[0].decode().unwrap().1
    }

    #[test]
    fn rfc8628_3_3_1_the_code_leads_to_the_complete_uri() {
        let colored = screen(80, 24, true).qr(URI).unwrap();
        assert_eq!(read(&colored, true), URI);
        assert!(colored.lines().all(|line| line.starts_with(INK) && line.ends_with(PLAIN)), "{colored}");
        let plain = screen(80, 24, false).qr(URI).unwrap();
        assert_eq!(read(&plain, false), URI);
        assert!(!plain.contains('\x1b'));
    }

    #[test]
    fn a_code_that_does_not_fit_is_left_out() {
        let drawn = screen(1_000, 1_000, false).qr(URI).unwrap();
        let (columns, rows) = (drawn.lines().next().unwrap().chars().count(), drawn.lines().count());
        assert!(columns <= 40, "a narrow terminal has room for it: {columns}");
        assert!(screen(columns, rows + BELOW, true).qr(URI).is_some());
        assert!(screen(columns - 1, rows + BELOW, true).qr(URI).is_none());
        assert!(screen(columns, rows + BELOW - 1, true).qr(URI).is_none());
        assert!(screen(80, 24, true).qr(&"x".repeat(5_000)).is_none());
    }
}
