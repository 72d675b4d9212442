"""Operations of an accessor, and the iterators over records."""
