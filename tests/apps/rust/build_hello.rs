// Threads, channels, files, time, a panic that is caught: what is printed is the
// same in every run.
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("hello from Rust {}", words.join(","));

    let (send, receive) = mpsc::channel();
    let total = Arc::new(Mutex::new(0u64));
    let threads: Vec<_> = (0..16u64)
        .map(|n| {
            let (send, total) = (send.clone(), Arc::clone(&total));
            thread::spawn(move || {
                for i in 0..500 {
                    *total.lock().unwrap() += i * n;
                }
                send.send(n).unwrap();
            })
        })
        .collect();
    drop(send);
    let mut who: Vec<u64> = receive.iter().collect();
    who.sort_unstable();
    for t in threads {
        t.join().unwrap();
    }
    println!("threads {:?} sum {}", who, total.lock().unwrap());

    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    let start = Instant::now();
    let t = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    let mut ready = pair.0.lock().unwrap();
    while !*ready {
        ready = pair.1.wait_timeout(ready, Duration::from_secs(5)).unwrap().0;
    }
    drop(ready);
    t.join().unwrap();
    println!("waited {}", start.elapsed() >= Duration::from_millis(20));

    let dir = std::env::temp_dir().join(format!("rust-{}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    let mut sizes = BTreeMap::new();
    for name in ["one", "two", "three"] {
        let mut f = fs::File::create(dir.join(name)).unwrap();
        f.write_all(name.repeat(1000).as_bytes()).unwrap();
        f.sync_all().unwrap();
    }
    for entry in fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        sizes.insert(entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len());
    }
    println!("{:?}", sizes);
    fs::copy(dir.join("one"), dir.join("copy")).unwrap();
    println!("{}", fs::read_to_string(dir.join("copy")).unwrap() == "one".repeat(1000));
    fs::remove_dir_all(&dir).unwrap();
    println!("{:?}", fs::metadata(&dir).unwrap_err().kind());

    std::panic::set_hook(Box::new(|_| ()));
    let caught = std::panic::catch_unwind(|| {
        let v: Vec<u8> = Vec::new();
        v[words.len() + 3]
    });
    println!("caught {}", caught.is_err());
    std::process::exit(7);
}
