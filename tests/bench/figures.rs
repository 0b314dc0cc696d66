//! Measurements, as numbers.

/// The measurements of one command.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The median; for an even number of samples the mean of the middle two.
    pub fn median(&self) -> f64 {
        let (low, high) = (self.at((self.0.len().max(1) - 1) / 2), self.at(self.0.len() / 2));
        f64::midpoint(low, high)
    }

    pub fn min(&self) -> f64 {
        self.at(0)
    }

    pub fn max(&self) -> f64 {
        self.at(self.0.len().max(1) - 1)
    }

    /// The samples, each reduced by the same amount.
    pub fn less(&self, amount: f64) -> Samples {
        Samples(self.0.iter().map(|found| found - amount).collect())
    }

    fn at(&self, idx: usize) -> f64 {
        self.0.get(idx).copied().unwrap_or(f64::NAN)
    }
}

impl From<f64> for Samples {
    fn from(value: f64) -> Samples {
        Samples(vec![value])
    }
}

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Seconds,
    Mebibytes,
    Crates,
}

impl Unit {
    /// `12.3 ms`.
    pub fn text(self, value: f64) -> String {
        format!("{} {}", self.number(value), self.name())
    }

    /// `12.3 ms (11.9..14.0)`; without the range if there is only one sample.
    pub fn samples(self, samples: &Samples) -> String {
        let median = self.text(samples.median());
        if samples.0.len() < 2 {
            return median;
        }
        format!("{median} ({}..{})", self.number(samples.min()), self.number(samples.max()))
    }

    fn number(self, value: f64) -> String {
        match self {
            Unit::Crates => format!("{value:.0}"),
            Unit::Seconds => format!("{value:.2}"),
            _ if value.abs() >= 100.0 => format!("{value:.0}"),
            _ => format!("{value:.1}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Mebibytes => "MiB",
            Unit::Crates => "crates",
        }
    }
}
