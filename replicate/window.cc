#include "replicate/window.h"

#include <algorithm>

namespace greffe::replicate {

bool Window::contains(const HearingId& hearing) const {
  return std::any_of(works_.begin(), works_.end(), [&](const Work& work) { return work.hearing == hearing; });
}

bool Window::contains_moving(const HearingId& hearing, const Allowed& allowed) const {
  return std::any_of(works_.begin(), works_.end(), [&](const Work& work) { return work.hearing == hearing && !waits(work, allowed); });
}

bool Window::has_backlog_but_pictures() const {
  return std::any_of(works_.begin(), works_.end(), [](const Work& work) { return !work.fresh && !work.only_picture(); });
}

Work& Window::add(Work work) {
  const auto place = work.fresh ? std::find_if(works_.begin(), works_.end(), [](const Work& one) { return !one.fresh; }) : works_.end();
  return *works_.insert(place, std::move(work));
}

bool Window::may_start(MediaClass media, const Allowed& allowed) const {
  if (media == MediaClass::log) return true;
  const unsigned of_media = running_[index_of(MediaClass::sound)] + running_[index_of(MediaClass::picture)];
  return running_[index_of(media)] < allowed(media) && of_media < media_;
}

std::optional<Job> Window::take(const Allowed& allowed) {
  for (const MediaClass media : kMediaClasses) {
    if (!may_start(media, allowed)) continue;
    for (Work& work : works_) {
      if (work.error || work.parted) continue;
      Job job{Job::Kind::object, &work, media, {}};
      if (media == MediaClass::log && !work.is_running() && work.stage == Work::Stage::plan) {
        job.kind = Job::Kind::plan;
      } else if (media == MediaClass::log && !work.is_running() && work.stage == Work::Stage::commit) {
        job.kind = Job::Kind::commit;
      } else if (work.stage == Work::Stage::objects && work.lacks(media)) {
        job.object = work.step.missing[index_of(media)][work.next[index_of(media)]++];
      } else {
        continue;
      }
      ++work.running[index_of(media)];
      ++running_[index_of(media)];
      return job;
    }
  }
  return std::nullopt;
}

void Window::ended(const Job& job) {
  Work& work = *job.work;
  --work.running[index_of(job.media)];
  --running_[index_of(job.media)];
  if (work.stage != Work::Stage::objects || work.is_running()) return;
  const bool all = std::none_of(kMediaClasses.begin(), kMediaClasses.end(), [&](MediaClass media) { return work.lacks(media); });
  if (all) work.stage = work.documents_only ? Work::Stage::done : Work::Stage::commit;
}

std::list<Work> Window::remove_done() {
  std::list<Work> out;
  for (auto work = works_.begin(); work != works_.end();) {
    const auto next = std::next(work);
    const bool over = work->stage == Work::Stage::done || work->error || work->parted;
    if (over && !work->is_running()) out.splice(out.end(), works_, work);
    work = next;
  }
  return out;
}

// Nothing runs for it, and nothing that it lacks may start now.
bool Window::waits(const Work& work, const Allowed& allowed) const {
  return work.stage == Work::Stage::objects && !work.is_running() && !work.error && !work.parted &&
         std::none_of(kMediaClasses.begin(), kMediaClasses.end(), [&](MediaClass media) { return work.lacks(media) && may_start(media, allowed); });
}

std::size_t Window::waiting(const Allowed& allowed) const {
  return static_cast<std::size_t>(std::count_if(works_.begin(), works_.end(), [&](const Work& work) { return waits(work, allowed); }));
}

bool Window::make_room(const Allowed& allowed) {
  if (waiting(allowed) <= kKeptWaiting) return false;
  const auto last = std::find_if(works_.rbegin(), works_.rend(), [&](const Work& work) { return waits(work, allowed); });
  last->parted = true;
  return true;
}

void Window::part_with_closed(const Allowed& allowed) {
  for (Work& work : works_) {
    if (!waits(work, allowed)) continue;
    work.parted = std::all_of(kMediaClasses.begin(), kMediaClasses.end(), [&](MediaClass media) { return !work.lacks(media) || (media != MediaClass::log && allowed(media) == 0); });
  }
}

}  // namespace greffe::replicate
