//! Programs and libraries with changed tables (PT_DYNAMIC, hashes, versions, relocations, symbols, strings), given to real
//! loaders: what becomes of each, diag has to say.

mod base;
mod compare;
mod mutate;
mod place;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use oracle::random::Random;
use oracle::tally::Tally;

use super::{Args, Job};
use base::Base;
use compare::{Answer, Real};
use mutate::Mutant;
use place::{LOADERS, Loader, Place};

/// Starts of each, before its end counts as its end.
const STARTS: usize = 5;

pub(super) fn jobs(args: &Args) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for loader in &LOADERS {
        let is_named = args.archs.iter().any(|arch| arch == loader.name || arch == loader.arch);
        let count = args.count(loader.counts);
        if is_named || args.archs.is_empty() {
            jobs.push(Box::new(move || {
                super::tally(format!("changed tables, {}", loader.name), |tally| {
                    check(loader, args, count, tally)
                })
            }));
        }
    }
    jobs
}

/// One mutant, in full.
pub(super) fn one(args: &Args, case: &str) -> Result<()> {
    let (name, number) = case.split_once(' ').context("a case is a loader and a number: 'musl-1.2.5 17'")?;
    let loader = LOADERS.iter().find(|loader| loader.name == name).context("no such loader")?;
    let bases = Base::all(loader)?;
    let place = Place::new(loader)?;
    let mutant = mutant(&bases, args.seed, number.parse()?);
    put(&place, &mutant, None)?;
    println!("{}", mutant.words);
    println!("{:?}", place.run()?);
    println!("{:#?}", place.judge()?);
    Ok(())
}

fn mutant(bases: &[Base], seed: u64, number: u64) -> Mutant {
    let mut random = Random::new(seed, number);
    let base = random.below(bases.len());
    Mutant::make(base, &bases[base], &mut random)
}

/// What was counted of a kind.
#[derive(Default)]
struct Counts {
    mutants: usize,
    started: usize,
    unknown: usize,
    varied: usize,
    emulated: usize,
    wrong: usize,
}

fn check(loader: &Loader, args: &Args, count: usize, tally: &mut Tally) -> Result<()> {
    let bases = Base::all(loader)?;
    let place = Place::new(loader)?;
    for base in &bases {
        for (file, image) in base.files.iter().enumerate() {
            place.put(file, &image.bytes)?;
        }
        let (ran, said) = (place.run()?, place.judge()?);
        let holds =
            matches!(compare::real(&ran), Real::Main(_)) && compare::answer(&ran, &said) == Answer::Agrees;
        tally.check(holds, || format!("{} as it was built: {ran:?}; diag: {}", base.name, said.model));
    }
    let mut kinds: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut before = None;
    for number in 0..count as u64 {
        let mutant = mutant(&bases, args.seed, number);
        put(&place, &mutant, before)?;
        before = Some(mutant.base);
        let said = place.judge()?;
        let ran = place.run()?;
        let counts = kinds.entry(mutant.kind).or_default();
        counts.mutants += 1;
        let mut answer = compare::answer(&ran, &said);
        let again = if args.full || answer == Answer::Disagrees { STARTS } else { 1 };
        for _ in 1..again {
            if compare::real(&place.run()?) != compare::real(&ran) {
                answer = Answer::Varies;
                break;
            }
        }
        counts.started += usize::from(matches!(compare::real(&ran), Real::Main(_)));
        counts.varied += usize::from(answer == Answer::Varies);
        let is_emulated = compare::is_emulated(loader.arch, &ran, &said)
            || compare::is_mapped_in_qemu(loader.arch, &mutant.words, &ran, &said);
        if is_emulated && answer != Answer::Varies {
            answer = Answer::Emulated;
            counts.emulated += 1;
        }
        counts.unknown += usize::from(answer == Answer::Unknown);
        let words = || {
            format!(
                "'{} {number}': {}: {}: the program {} {:?}; diag: {}, {:?}",
                loader.name,
                bases[mutant.base].name,
                mutant.words,
                compare::real(&ran),
                ran.words,
                said.model,
                said.codes("error")
            )
        };
        if answer == Answer::Unknown {
            println!("{}: unknown: {}", tally.name(), words());
        }
        if answer == Answer::Disagrees {
            counts.wrong += 1;
            println!("{}: WRONG: {}", tally.name(), words());
        }
        place.put(mutant.file, &bases[mutant.base].files[mutant.file].bytes)?;
    }
    for (kind, Counts { mutants, started, unknown, varied, emulated, wrong }) in &kinds {
        let as_in_qemu = if *emulated > 0 { format!(", {emulated} as in QEMU alone") } else { String::new() };
        tally.note(format!(
            "{kind}: {mutants}, of which {started} start; diag has {wrong} wrong, {unknown} unknown; {varied} end now so, now so{as_in_qemu}"
        ));
        tally.check(*unknown <= unknown_at_most(*mutants), || {
            format!("{kind}: {unknown} of {mutants} unknown")
        });
    }
    let total = |of: fn(&Counts) -> usize| kinds.values().map(of).sum::<usize>();
    let wrong = total(|counts| counts.wrong);
    tally.check(wrong == 0, || format!("{wrong} of {count} wrong"));
    ensure!(total(|counts| counts.started) * 10 > count, "hardly any of the programs starts");
    Ok(())
}

/// How many of a kind diag may not know: three of a hundred, and what chance adds, by three standard deviations.
fn unknown_at_most(mutants: usize) -> usize {
    let (three_of_hundred, deviation) = (mutants * 3 / 100, (mutants * 3 / 100).isqrt());
    three_of_hundred + 3 * deviation.max(1)
}

/// Has the files of a mutant there. `before`: the base whose files are there, whole.
fn put(place: &Place, mutant: &Mutant, before: Option<usize>) -> Result<()> {
    for (file, bytes) in mutant.files.iter().enumerate() {
        if before != Some(mutant.base) || file == mutant.file {
            place.put(file, bytes)?;
        }
    }
    Ok(())
}
