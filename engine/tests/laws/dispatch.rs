use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rasher::budget::Bounds;
use rasher::dispatch::{Course, Machines, Mode, Overheads, Reality, Script, execute};
use rasher::plan::{Plan, PlanOptions, Workload, plan};
use rasher::test_id::TestTable;
use rasher::units::Micros;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel(
            "../../proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// What was expected, what came, and on how many workers.
#[derive(Clone, Debug)]
struct Run {
    tests: Vec<(u64, u64, usize)>,
    setups: Vec<(u64, u64)>,
    workers: u32,
    chunk: u64,
    fixed: f64,
}

fn run() -> impl Strategy<Value = Run> {
    let tests = prop::collection::vec((1u64..500, 0u64..700, 0usize..6), 1..60);
    let setups = prop::collection::vec((0u64..80, 0u64..80), 6);
    (tests, setups, 1u32..9, 0u64..200, 0.0..1.0f64).prop_map(
        |(tests, setups, workers, chunk, fixed)| Run { tests, setups, workers, chunk, fixed },
    )
}

impl Run {
    fn without_setups(mut self) -> Self {
        self.setups = vec![(0, 0); 6];
        self
    }

    fn foreseen(mut self) -> Self {
        for test in &mut self.tests {
            test.1 = test.0;
        }
        for setup in &mut self.setups {
            setup.1 = setup.0;
        }
        self
    }

    fn real(&self) -> Vec<Micros> {
        self.tests.iter().map(|t| Micros::new(t.1)).collect()
    }

    /// Plans, then plays in one mode.
    fn play(&self, mode: Mode, overheads: Overheads, machines: Machines) -> (Course, Script, Plan) {
        let mut table = TestTable::new();
        for group in 0..6 {
            table.intern_group(&format!("group {group}"));
        }
        for (at, test) in self.tests.iter().enumerate() {
            table.intern(&format!("{at:03}"), Some(&format!("group {}", test.2)));
        }
        let mean: Vec<Micros> = self.tests.iter().map(|t| Micros::new(t.0)).collect();
        let micros = |one: fn(&(u64, u64)) -> u64| -> Vec<Micros> {
            self.setups.iter().map(|s| Micros::new(one(s))).collect()
        };
        let (setup, real_setup) = (micros(|s| s.0), micros(|s| s.1));
        let workload = Workload::new(&table, &mean, &mean, &setup).expect("columns that fit");
        let plan = plan(&workload, &PlanOptions::new(self.workers)).expect("a plan");
        let script = Script::new(&workload, &plan, Micros::new(self.chunk));
        let real = self.real();
        let reality = Reality { duration: &real, setup: &real_setup };
        let workers = machines.workers(1, self.workers);
        let course = execute(&script, reality, &workers, (mode, overheads));
        (course, script, plan)
    }

    fn modes(&self) -> [Mode; 3] {
        [Mode::Static, Mode::Steal { fixed: self.fixed }, Mode::Queue]
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_test_runs_once_whoever_runs_it(run in run()) {
        let run = run.without_setups();
        let all: Micros = run.real().into_iter().sum();
        for mode in run.modes() {
            let (course, script, _) = run.play(mode, Overheads::default(), Machines::EQUAL);
            let mut order: Vec<_> = script.order.iter().map(|t| t.index()).collect();
            order.sort_unstable();
            prop_assert_eq!(order, (0..run.tests.len()).collect::<Vec<_>>());
            prop_assert_eq!(course.done.iter().copied().sum::<Micros>(), all, "{:?}", mode);
        }
    }

    #[test]
    fn no_run_ends_before_its_bound_and_no_queue_far_after(run in run()) {
        let run = Run { chunk: 0, ..run.without_setups() };
        let real: Vec<u64> = run.tests.iter().map(|t| t.1).collect();
        let bound = Bounds::new(&real, run.workers).lower(run.workers);
        for mode in run.modes() {
            let (course, ..) = run.play(mode, Overheads::default(), Machines::EQUAL);
            prop_assert!(course.end() >= bound, "{:?}", mode);
        }
        // Graham 1966: no list is worse than 2 - 1/m.
        let (course, ..) = run.play(Mode::Queue, Overheads::default(), Machines::EQUAL);
        let most = bound.get() as f64 * (2.0 - 1.0 / f64::from(run.workers));
        prop_assert!(course.end().get() as f64 <= most + 1.0);
    }

    #[test]
    fn what_comes_foreseen_ends_as_planned(run in run()) {
        let run = run.foreseen();
        let (course, _, plan) = run.play(Mode::Static, Overheads::default(), Machines::EQUAL);
        prop_assert_eq!(course.end(), plan.makespan);
    }

    #[test]
    fn nothing_is_taken_over_where_all_is_fixed(run in run()) {
        let run = Run { fixed: 1.0, ..run };
        let steal = Mode::Steal { fixed: 1.0 };
        let (taken, ..) = run.play(steal, Overheads::default(), Machines::EQUAL);
        let (planned, ..) = run.play(Mode::Static, Overheads::default(), Machines::EQUAL);
        prop_assert_eq!(taken, planned);
    }

    #[test]
    fn handing_out_is_paid_for_each_time(run in run(), cost in 1u64..50) {
        let run = run.without_setups();
        let overheads = Overheads { handout: Micros::new(cost), steal: Micros::new(cost) };
        let all: Micros = run.real().into_iter().sum();
        for mode in run.modes() {
            let (course, ..) = run.play(mode, overheads, Machines::EQUAL);
            let paid = Micros::new(cost).times(course.handouts as u64);
            prop_assert_eq!(course.done.iter().copied().sum::<Micros>(), all + paid);
        }
    }

    #[test]
    fn slow_and_late_workers_only_delay(run in run(), seed in any::<u64>()) {
        let machines = Machines {
            startup: Micros::new(100),
            startup_spread: 0.3,
            speed_spread: 0.2,
            seed,
        };
        for mode in run.modes() {
            let (course, ..) = run.play(mode, Overheads::default(), machines);
            let ready = machines.workers(1, run.workers);
            prop_assert!(course.done.iter().zip(&ready).all(|(done, w)| *done >= w.ready));
            prop_assert_eq!(&course, &run.play(mode, Overheads::default(), machines).0);
        }
    }
}

#[test]
fn idle_workers_take_over_from_one_that_met_a_slow_test() {
    // Two workers with equal shards; the first test of one takes ten times as long as foreseen.
    let mut tests = vec![(100, 100, 0); 20];
    tests[0].1 = 1_000;
    let run = Run { tests, setups: vec![(0, 0); 6], workers: 2, chunk: 0, fixed: 0.5 };
    let end = |mode| run.play(mode, Overheads::default(), Machines::EQUAL).0.end().get();
    assert_eq!(end(Mode::Static), 1_900);
    assert_eq!(end(Mode::Queue), 1_500);
    assert_eq!(end(Mode::Steal { fixed: 0.1 }), 1_500);
    assert_eq!(end(Mode::Steal { fixed: 0.9 }), 1_800);
}
