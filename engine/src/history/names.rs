//! Names in sorted order, end to end in one buffer: looked up without an index that would have to
//! be built.

use std::cmp::Ordering;
use std::sync::Arc;

use super::HistoryError;
use crate::test_id::SharedNames;

/// Strictly ascending strings in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedNames {
    /// Tables of tests borrow them: a plan of everything known copies no name.
    shared: Arc<SharedNames>,
}

impl SortedNames {
    /// The names that `text` holds up to each of `ends`. One pass; refuses ends that do not
    /// partition the text and names that do not ascend.
    ///
    /// ```
    /// use rasher::history::SortedNames;
    /// let names = SortedNames::from_parts("abcd".into(), vec![2, 4])?;
    /// assert_eq!(names.find("cd"), Some(1));
    /// assert!(SortedNames::from_parts("cdab".into(), vec![2, 4]).is_err());
    /// # Ok::<(), rasher::history::HistoryError>(())
    /// ```
    pub fn from_parts(text: String, ends: Vec<u32>) -> Result<Self, HistoryError> {
        let mut before: Option<&str> = None;
        let mut start = 0;
        for end in &ends {
            let name = text.get(start..*end as usize);
            let Some(name) = name.filter(|name| before.is_none_or(|before| before < *name)) else {
                return Err(HistoryError::Malformed("its names are not in ascending order"));
            };
            before = Some(name);
            start = *end as usize;
        }
        if start != text.len() {
            return Err(HistoryError::Malformed("its names do not fill their buffer"));
        }
        Ok(Self { shared: Arc::new(SharedNames { text, ends }) })
    }

    /// The same for names that were written from a `SortedNames` and come back as they were, such
    /// as from a file with a checksum: that they ascend is not asked again. Where they do not, what
    /// is looked up may not be found; nothing worse comes of it.
    ///
    /// ```
    /// use rasher::history::SortedNames;
    /// assert!(SortedNames::from_written("ab".into(), vec![1, 2]).is_ok());
    /// assert!(SortedNames::from_written("ä".into(), vec![1, 2]).is_err());
    /// # Ok::<(), rasher::history::HistoryError>(())
    /// ```
    ///
    /// # Errors
    /// Where the ends do not partition the text.
    pub fn from_written(text: String, ends: Vec<u32>) -> Result<Self, HistoryError> {
        let inside = ends.iter().all(|end| text.is_char_boundary(*end as usize));
        if !inside || !ends.is_sorted() || ends.last().map_or(0, |end| *end as usize) != text.len()
        {
            return Err(HistoryError::Malformed("its names do not partition their buffer"));
        }
        Ok(Self { shared: Arc::new(SharedNames { text, ends }) })
    }

    /// The buffer.
    pub fn text(&self) -> &str {
        &self.shared.text
    }

    /// Where each name ends in the buffer.
    pub fn ends(&self) -> &[u32] {
        &self.shared.ends
    }

    pub(crate) fn shared(&self) -> &Arc<SharedNames> {
        &self.shared
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends().len()
    }

    /// True where there is no name.
    pub fn is_empty(&self) -> bool {
        self.ends().is_empty()
    }

    /// The name at a place.
    pub fn get(&self, at: usize) -> &str {
        self.shared.get(at)
    }

    /// All names in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The place of a name. O(log n).
    pub fn find(&self, name: &str) -> Option<usize> {
        self.search(name, 0, self.len()).ok()
    }

    /// The place of each of `wanted`: one comparison a name where those ascend too, a search from
    /// the place of the last one where they do not.
    pub(crate) fn find_all<'n>(
        &self,
        wanted: impl Iterator<Item = &'n str>,
    ) -> impl Iterator<Item = Option<u32>> {
        let mut hint = 0;
        wanted.map(move |name| match self.locate(name, hint) {
            Ok(at) => {
                hint = at + 1;
                Some(at as u32)
            }
            Err(at) => {
                hint = at;
                None
            }
        })
    }

    /// Searches outwards from `hint` in doubling steps: O(log of the distance).
    fn locate(&self, name: &str, hint: usize) -> Result<usize, usize> {
        if hint >= self.len() {
            return self.search(name, 0, self.len());
        }
        match self.get(hint).cmp(name) {
            Ordering::Equal => Ok(hint),
            Ordering::Greater => self.search(name, 0, hint),
            Ordering::Less => {
                let (mut low, mut step) = (hint + 1, 1);
                while low + step < self.len() && self.get(low + step) < name {
                    low += step;
                    step *= 2;
                }
                self.search(name, low, (low + step + 1).min(self.len()))
            }
        }
    }

    fn search(&self, name: &str, mut low: usize, mut high: usize) -> Result<usize, usize> {
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(name) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Takes in `new`, which must be unknown, sorted and without doubles; answers where each old
    /// name went.
    pub(crate) fn insert_all(&mut self, new: &[&str]) -> Vec<u32> {
        let mut merged = SharedNames::default();
        merged.text.reserve(self.text().len() + new.iter().map(|name| name.len()).sum::<usize>());
        merged.ends.reserve(self.len() + new.len());
        let mut kept = Vec::with_capacity(self.len());
        let mut new = new.iter().copied().peekable();
        for old in self.iter() {
            while let Some(name) = new.next_if(|name| *name < old) {
                merged.push(name);
            }
            kept.push(merged.ends.len() as u32);
            merged.push(old);
        }
        new.for_each(|name| merged.push(name));
        self.shared = Arc::new(merged);
        kept
    }

    /// The names at some places, in order: runs of neighbours are copied in one go.
    pub(crate) fn only(&self, places: &[u32]) -> Arc<SharedNames> {
        let (text, ends) = (self.text(), self.ends());
        let mut kept = SharedNames::default();
        kept.ends.reserve(places.len());
        for run in places.chunk_by(|a, b| a + 1 == *b) {
            let (first, last) = (run[0] as usize, run[run.len() - 1] as usize);
            let start = if first == 0 { 0 } else { ends[first - 1] };
            let before = kept.text.len() as u32;
            kept.text.push_str(&text[start as usize..ends[last] as usize]);
            kept.ends.extend(ends[first..=last].iter().map(|end| end - start + before));
        }
        Arc::new(kept)
    }
}

impl SharedNames {
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).expect("less than 4 GiB of names"));
    }
}
