//! Medians, ratios and verdicts.

/// Returns the middle of some figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the ratios of figures measured in pairs.
pub fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

/// A figure held against its target.
pub struct Verdict {
    name: &'static str,
    figure: f64,
    target: f64,
    is_ceiling: bool,
}

impl Verdict {
    /// Returns the verdict on a figure that should be at most `target`.
    pub fn at_most(name: &'static str, figure: f64, target: f64) -> Self {
        Self { name, figure, target, is_ceiling: true }
    }

    /// Returns the verdict on a figure that should be at least `target`.
    pub fn at_least(name: &'static str, figure: f64, target: f64) -> Self {
        Self { name, figure, target, is_ceiling: false }
    }

    /// Returns the verdict in a line.
    pub fn line(&self) -> String {
        let Self { name, figure, target, is_ceiling } = *self;
        let (sign, is_met) =
            if is_ceiling { ("<=", figure <= target) } else { (">=", figure >= target) };
        let word = if is_met { "met" } else { "MISSED" };
        format!("{name:<40} {figure:>9.3}   {sign} {target:<6}  {word}")
    }
}
