//! Facts that are gathered when they are first looked at.

use std::cell::LazyCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// A value that is gathered once, when it is first looked at. Clones share it.
#[derive(Clone)]
pub struct Lazy<T> {
    gathered: Rc<LazyCell<T, Box<dyn FnOnce() -> T>>>,
    /// What it was changed to since.
    changed: Option<T>,
}

impl<T> Lazy<T> {
    /// To be gathered so.
    pub fn new(gather: impl FnOnce() -> T + 'static) -> Lazy<T> {
        Lazy { gathered: Rc::new(LazyCell::new(Box::new(gather))), changed: None }
    }
}

impl<T: 'static> From<T> for Lazy<T> {
    fn from(value: T) -> Lazy<T> {
        Lazy::new(|| value)
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.changed.as_ref().unwrap_or_else(|| LazyCell::force(&self.gathered))
    }
}

/// A change leaves the clones as they are.
impl<T: Clone> DerefMut for Lazy<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed.get_or_insert_with(|| T::clone(LazyCell::force(&self.gathered)))
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: PartialEq> PartialEq for Lazy<T> {
    fn eq(&self, other: &Lazy<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Lazy<T> {}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn gathered_once_and_only_when_looked_at() {
        let count = Rc::new(Cell::new(0));
        let counted = Rc::clone(&count);
        let mut fact = Lazy::new(move || {
            counted.set(counted.get() + 1);
            counted.get()
        });
        let same = fact.clone();
        assert_eq!(count.get(), 0);
        assert_eq!((*same, *fact, count.get()), (1, 1, 1));
        *fact += 1;
        assert_eq!((*same, *fact, *fact.clone(), count.get()), (1, 2, 2, 1));
        assert_ne!(fact, same);
        assert_eq!(same, Lazy::from(1));
    }
}
