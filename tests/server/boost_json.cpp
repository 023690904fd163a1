// Alone in its archive: a program that links another compiled copy of Boost.JSON takes whichever comes first, not both.
#include <boost/json/src.hpp>
