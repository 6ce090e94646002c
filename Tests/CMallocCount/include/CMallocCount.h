#pragma once

/// How often the calling thread has allocated memory so far.
unsigned long malloc_count(void);
