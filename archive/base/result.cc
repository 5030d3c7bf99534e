#include "archive/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace greffe {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::conflict: return "conflict";
    case Errc::corrupt: return "corrupt";
    case Errc::io_error: return "io_error";
    case Errc::unavailable: return "unavailable";
    case Errc::invalid: return "invalid";
    case Errc::denied: return "denied";
    case Errc::no_space: return "no_space";
    case Errc::cancelled: return "cancelled";
  }
  return "unknown";
}

Error Error::within(std::string_view context) const {
  return Error{code, std::string(context) + ": " + message};
}

void broken_invariant(const char* what, const char* file, int line) {
  std::fprintf(stderr, "greffe: broken invariant: %s (%s:%d); the process stops, start it again to recover\n", what,
               file, line);
  std::abort();
}

}  // namespace greffe
