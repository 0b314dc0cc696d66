//! Which package, targets and features contain the models, according to dbmigrate.toml and the
//! arguments, which take precedence.

use xshell::Cmd;

use crate::context::Context;
use crate::project::features::ChosenFeatures;

/// What cargo is asked to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub package: String,
    /// Only the library.
    pub lib: bool,
    /// The library and this binary.
    pub bin: Option<String>,
    pub features: Vec<String>,
    pub all_features: bool,
    pub default_features: bool,
    pub profile: Option<String>,
    pub target: Option<String>,
}

impl Selection {
    /// Reports an argument that differs from a setting, since the models depend on it.
    pub fn new(cx: &Context) -> Selection {
        let (args, config) = (&cx.global.cargo, &cx.config);
        let differs = |arg: &str, key: &str, value: &str| {
            cx.out.warning(format!(
                "{arg} overrides `{key} = {value}` in dbmigrate.toml: the next command without it \
                 sees other models"
            ));
        };
        let choose = |arg: &str, key: &str, given: Option<&String>, set: Option<&String>| {
            if let (Some(given), Some(set)) = (given, set) {
                if given != set {
                    differs(arg, key, &format!("{set:?}"));
                }
            }
            given.or(set).cloned()
        };
        let package = choose("`-p`", "package", given_package(cx), config.package.as_ref());

        let (mut lib, mut bin) = (config.lib, config.bin.clone());
        if args.lib || args.bin.is_some() {
            if let Some(set) = config.bin.as_ref().filter(|bin| Some(*bin) != args.bin.as_ref()) {
                differs("the chosen target", "bin", &format!("{set:?}"));
            }
            if config.lib && !args.lib {
                differs("`--bin`", "lib", "true");
            }
            (lib, bin) = (args.lib, args.bin.clone());
        }

        let (given, set) = (sorted(&args.features), sorted(&config.features));
        if !given.is_empty() && !set.is_empty() && given != set {
            differs("`--features`", "features", &format!("{set:?}"));
        }
        let ChosenFeatures { named, all, default } = chosen_features(cx);
        Selection {
            package: package.unwrap_or_else(|| cx.project.package.clone()),
            lib,
            bin,
            features: named,
            all_features: all,
            default_features: default,
            profile: choose(
                "`--profile`",
                "profile",
                args.profile.as_ref(),
                config.profile.as_ref(),
            ),
            target: choose("`--target`", "target", args.target.as_ref(), config.target.as_ref()),
        }
    }

    /// Adds these options to a cargo command.
    pub fn add_to<'a>(&self, mut cmd: Cmd<'a>, cx: &Context, more_features: &[String]) -> Cmd<'a> {
        cmd = cmd.args(["--package", &self.package]);
        let mut features = self.features.clone();
        features.extend_from_slice(more_features);
        if !features.is_empty() {
            cmd = cmd.args(["--features", &features.join(",")]);
        }
        if let Some(profile) = &self.profile {
            cmd = cmd.args(["--profile", profile]);
        }
        if let Some(target) = &self.target {
            cmd = cmd.args(["--target", target]);
        }
        let flags = &cx.global.cargo;
        for (on, flag) in [
            (self.all_features, "--all-features"),
            (!self.default_features, "--no-default-features"),
            (flags.locked, "--locked"),
            (flags.offline, "--offline"),
            (flags.frozen, "--frozen"),
        ] {
            if on {
                cmd = cmd.arg(flag);
            }
        }
        cmd
    }
}

/// The features of the package with the migrations that are on. If the models are in another one,
/// those are its defaults.
pub fn own_features(cx: &Context) -> ChosenFeatures {
    let project = &cx.project.package;
    let package = given_package(cx).or(cx.config.package.as_ref());
    if package.is_some_and(|package| package != project) {
        return ChosenFeatures { named: Vec::new(), all: false, default: true };
    }
    let mut chosen = chosen_features(cx);
    for name in &mut chosen.named {
        if let Some((_, own)) = name.split_once('/').filter(|(package, _)| package == project) {
            *name = own.to_owned();
        }
    }
    chosen
}

/// The package of the models that `-p` names. It may only have selected the one with the migrations.
fn given_package(cx: &Context) -> Option<&String> {
    cx.global.cargo.package.as_ref().filter(|package| **package != cx.project.package)
}

/// The features that are on, by the arguments or else by dbmigrate.toml.
fn chosen_features(cx: &Context) -> ChosenFeatures {
    let (args, config) = (&cx.global.cargo, &cx.config);
    let given = sorted(&args.features);
    ChosenFeatures {
        named: if given.is_empty() { sorted(&config.features) } else { given },
        all: args.all_features || config.all_features,
        default: config.default_features && !args.no_default_features,
    }
}

/// The names in lists as cargo takes them, with commas or blanks.
fn sorted(items: &[String]) -> Vec<String> {
    let names = items.iter().flat_map(|item| item.split([',', ' ']));
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}
