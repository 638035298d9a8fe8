//! The corpus once more, and many changes of it, the same ones each time.

use std::time::Instant;

use fuzz::mutator::{Numbers, mutate};
use fuzz::{TARGETS, corpus};

fn run(name: &str, mutations: u64) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let kept = corpus(name);
    for (path, bytes) in &kept {
        println!("{}", path.display());
        target.run(bytes);
    }
    let mut inputs: Vec<Vec<u8>> = kept.into_iter().map(|(_, bytes)| bytes).collect();
    inputs.push(Vec::new());
    let (since, mut slowest) = (Instant::now(), 0);
    for seed in 0..mutations {
        let mut numbers = Numbers::new(seed);
        let mut bytes = inputs[numbers.below(inputs.len())].clone();
        let other = numbers.below(inputs.len());
        mutate(&mut numbers, &mut bytes, &inputs[other]);
        let begin = Instant::now();
        target.run(&bytes);
        slowest = slowest.max(begin.elapsed().as_millis());
    }
    println!("{name}: {mutations} mutations in {:?}, the slowest {slowest} ms", since.elapsed());
}

/// What libFuzzer found where a guard was taken out.
#[test]
fn guards() {
    let target = TARGETS.iter().find(|target| target.name == "tables").unwrap();
    for entry in std::fs::read_dir(fuzz::folder("guards")).unwrap() {
        target.run(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

#[test]
fn candidate() {
    run("candidate", 32_000);
}

#[test]
fn libraries() {
    run("libraries", 16_000);
}

#[test]
fn tables() {
    run("tables", 150);
}

#[test]
fn texts() {
    run("texts", 4_000);
}

#[test]
fn scripts() {
    run("scripts", 47_000);
}

#[test]
fn recording() {
    run("recording", 1_000);
}

#[test]
fn recordings() {
    run("recordings", 6_000);
}
