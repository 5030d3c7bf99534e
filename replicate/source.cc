#include "replicate/source.h"

namespace greffe::replicate {

Result<Source> Source::open(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& name) {
  Source out(objects, heads, name.archive);
  if (name.epoch > 1) out.main = GREFFE_TRY(tlog::open_main_log(objects, heads, name));
  return out;
}

}  // namespace greffe::replicate
