# The stories of the levels "normal" and "rich": how they open, and the shapes that they take.

story :
  ~<opening><errand>¶<plot><errand_end>
  ^<opening><errand>¶<detour><plot><errand_end><bedtime>

# Before the plot begins (rich only): a small thing happens on the way, or nothing does.
detour :
  ^4: [This is how it began.|So listen.|Here is what happened.|Now for the story.|And that is where our story starts.|What came next was this.|Then things went quickly.|It started with something small.]¶
  ^1: [On the doorstep|In the letter box|Under the doormat] lay a note. "{hero}," it said, "beware of {:monster.pl}, and don't forget your [hat|lunch|manners]." There was no name under it. {hero} [kept it|turned it over twice|knew the handwriting, of course].¶
  ^1: {hero} met {chum:child} on the corner. "[What's new|Anything to report]?" asked {chum}. "[Nothing|Nothing yet]," said {hero}, "but the day is young."¶
  ^1: A [peddler|cart|traveling circus] came through that day, with {:color} flags and {:number} {:animal.pl}. {hero} watched it until it was out of sight.¶
  ^1: For breakfast there were {snack_a:snack-mass}, which {hero} liked, and {snack_b:snack-mass}, which {hero.he} hid [in a sock|in a napkin|behind the clock].¶
  ^2: [First, though, {hero} met|At the corner stood|Before anything else, there was] {passer:worker.a} who was looking for {passer.his} [runaway|favorite|lost] {:animal}. "[It went that way|I saw it by the gate|I haven't seen it]," said {hero}. The {passer} [tipped {passer.his} hat|sighed|hurried off] and was gone.¶
  ^2: [To begin with, {hero} helped|There was work to do first. {hero} had to help|But {hero} was not free yet, for {hero.he} had to help] {hero.his} {boss:kin} to {chore_a:chore} and to {chore_b:chore}. "You're a great help," said {hero.his} {boss}, and gave {hero.him} {pay:snack} for it. {hero} ate the {pay} [at once|slowly|on the wall].¶
  ^1: Something odd was going on that day. {odd:animal.A} was sitting on the roof, and {odder:animal.a} stood in front of the church, looking up at it. "[Good day! How are you?|Are you two all right?]" asked {hero}. The {odd} said nothing, and neither did the {odder}.¶
  ^1: "Have you heard?" the {gossip:worker} called over the hedge. "Somebody saw {rumor:monster.a} {:place+out.at}!" {hero} [laughed|shivered|didn't believe a word]. The {gossip} [shrugged|winked|swore it was true]. {hero} decided not to think about the {rumor} and [almost managed it|soon forgot about it].¶
  ^1: {hero} had lately begun to collect {:stuff}. There were {:number} of them on {hero.his} shelf already, not counting the [broken|best|lucky] one, which {hero.he} had traded for {:snack}. {hero.His} {:kin} called it a [mess|museum|hobby]. {hero} called it science.¶
  ^1: [Now, it must be said that {hero} had not slept well.|{hero} was tired, and there was a reason for it.|The night had been a strange one.] {hero} had dreamed of {dreamt:monster.a} that ate {snack_a:snack} and {snack_b:snack} and complained about the [weather|spoons|service]. In the dream, {hero} had offered the {dreamt} some {:food+mass.word}. Awake, it seemed less sensible.¶

# The last thing in the evening (rich only): a story in the story, or good night.
bedtime :
  ^9: {!tale=none}
  ^2: ?span=day/long ¶In the evening {hero.his} {teller:kin} told {hero.him} a story. "Once there was {old:monster.a} who lived {lair:place+out.at} and was afraid of {fear:animal.pl}. Every time it saw {fear.a}, it <fled>. One day a [small|timid|wet] {fear} knocked at the door. 'Please,' said the {fear}, 'I'm afraid of everything, except you.' So the {old} made some {:food+mass.word}, and they [ate together|talked all night|were afraid together], and that was much better." "[Is that true|Another one|The end]?" asked {hero}. But {hero.his} {teller} had already [blown out the candle|closed the door|begun to snore].
  ^2: ?span=day/long ¶Before {hero} fell asleep, {hero.he} [wrote it all down|went through it all again]: the [beginning|middle|long way], the {!tale=day}voices, the smell of {:snack}. "Dear diary," {hero.he} wrote, "today I learned <diary>."
  ^1: ?span=day/long ¶Later, over some {:food+mass.word}, {hero.his} {listener:kin} asked, "And what was the best part?" {hero} had to think. "[The middle|The end|All of it]," {hero.he} said [with {hero.his} mouth full|at last|and yawned]. "And the worst?" "[That it's over|The puddle|My left shoe]," said {hero}. {hero.His} {listener} [laughed|nodded] and passed the {:snack}.
  ^1: ?span=day/long ¶"Tell me about when you were small," said {hero} at bedtime. "When I was small," said {hero.his} {teller:kin}, "I had {past:thing.a}, and I lost it {:place+out.at}. I never found it." "[Never|Not even later]?" "[Never|Not yet]," said {hero.his} {teller}. "Perhaps {:animal.a} is playing with it now." [They both thought about that until {hero} was asleep.|"I hope so," said {hero}.|"Then we should look for it," said {hero}, and yawned.]
  ^1: ?span=day/long ¶There was one more thing. When {hero} took off {hero.his} [shoes|coat|socks] that night, out fell [a feather|a leaf|a tiny stone|a button]. {hero.He} didn't know where it had come from. [{hero.He} put it in {hero.his} box of things, next to {:treasure.a}.|{hero.He} kept it all {hero.his} life.|It is still on {hero.his} shelf.|{hero.His} {:kin} said that it would bring luck.]
  ^1: ?span=day/long ¶{hero} could not sleep. So {hero.he} tried to count {sheep_like:animal.pl}: one, two, three... At [seven|nine|twelve] they began to [dance|argue|eat {:snack}]. [After that it was all dream.|{hero} slept before they had finished.|{hero.He} never got to the end.|In the morning {hero.he} couldn't remember who had won.]
  ^1: ?span=day/long ¶{hero.His} {goodnight:kin} came to say good night. "Anything else?" {goodnight.he} asked. {hero} thought of {:pastime}, and of {:snack}, and of tomorrow. "[No|Nothing]," {hero.he} said. "[It was all just right|Leave the door open|Only one more kiss|Wake me early]."

fled = hid in a [chest|sack|cave|cupboard]|ran all the way {flight:place+out.to}|pulled {:color.a} [blanket|curtain|tablecloth] over its head

diary :
  ?lesson=truth that a secret weighs more than a [piano|horse|mountain]
  ?lesson=patience that you can't hurry [a seed|an oven|anything worth having]
  ?lesson=help that 'help' is a [short|good|useful] word
  ?lesson=friend that friends are [odd|rare|better than {:snack}]


opening :
  2: Once upon a time there [was|lived] {hero:child.kind} named {hero}. <likes> <hour>
  2: {hero:child} was {hero.kind}. <likes> <hour>
  2: In a [village|little house|crooked old house|small town] [by the sea|near the forest|at the foot of a hill|between two rivers] lived {hero:child.kind} [called|named] {hero}. <likes> <hour>
  "[Wake up|Good morning|Look outside]!" someone called. It was the {:worker}, and {hero:child} [opened one eye|ran to the window|pulled on {hero.his} boots]. <likes> <hour>
  Everybody [in the village|on the street|at school] knew {hero:child}, {hero.kind} who loved {:pastime}. {hero.He} was <trait>. <hour>
  2: <weather> It was the kind of day on which {hero:child} [felt that anything could happen|always got into trouble|liked to be up early]. <likes> <hour_said>
  "Where are you going?" asked {hero:child}'s {gate:kin}. "[Out|Nowhere special|I don't know yet]," said {hero}, and closed the gate. <likes> <hour>
  "Do you want to hear about {hero:child}?" the old people [ask|like to ask]. {hero} was {hero.kind} who lived [by the river|near the mill|on the hill|at the end of the road|behind the church]. <likes> <hour>
  {hero:child} had [a loose tooth|a scratch on {hero.his} knee|two left boots|ink on {hero.his} nose], and {hero.he} was <trait>. <hour>
  This is a story about {hero:child} and [a very long day|what happened next|something that nobody expected|a good idea]. <likes> <hour>
  "{hero:child}!" [called|cried|sang] somebody. "{hero}, are you coming?" {hero} [was already running|had one shoe on|hurried down the stairs]. <likes> <hour>
  If you had asked {hero:child} what {hero.he} liked best, the answer would have been {:pastime}. {hero.He} was <trait>. <hour>
  There are people who can sit still, and there was {hero:child}. <likes> <hour>
  <weather> {hero:child} [stood at the window|sat on the garden wall|lay in bed] and [wondered what to do|thought about breakfast|counted {hero.his} buttons]. <likes> <hour_said>
  Of all the children [in the village|at school|on the street|by the sea], {hero:child} was the one who [asked the most questions|laughed the loudest|had the muddiest knees]. <likes> <hour>
  ^The house with the {:color} door belonged to the family of {hero:child}, and the noise in it came from {hero} {hero.himself}. <likes> <hour>
  ^{hero:child} kept a list of things to do. First on it was {first_thing:pastime}. Second was {second_thing:pastime}. The rest was crossed out. {hero.He} was <trait>. <hour>
  ^A letter for {hero:child} had come that week, the first in {hero.his} life. It was from {hero.his} {pen:kin}. "Be {tr:trait}, as you always are," it said. <hour>
  ^You would not have noticed {hero:child} in a crowd, except for the {:color} [boots|cap|umbrella]. <likes> <hour>

# What comes after the weather has been told.
hour_said :
  {!time=morning}It was [still early|not yet nine o'clock].
  {!time=afternoon}It was [just after lunch|the middle of the afternoon].
  <day_time>, [it all began|things began to happen].

# Something promised at the beginning is kept at the end.
errand :
  4: {!errand=no}
  1: {!errand=yes} {hero.His} {sender:kin} had given {hero.him} some {parcel:snack-mass} to take to the {receiver:worker}[, and {hero} had promised not to forget|| by nightfall].
  1: {!errand=book} There was also [a library book to return|a letter to post|a hen to feed], and {hero} had promised to do it [soon|before supper|that day].

errand_end :
  ?errand=no 
  ?errand=yes&span=night  The {parcel} had been with the {receiver} since [supper|four o'clock], as promised.
  ?errand=yes&span=long  And the {parcel}? The {receiver} had got them on the very first day, as promised.
  ?errand=yes&span=day  Oh, and the {parcel}? {hero} brought them to the {receiver} [after all, as promised|a little late, but not too late|that same evening, as {hero.he} had said {hero.he} would].
  ?errand=book  And what {hero} had promised? [Done|{hero.He} did it|It was done], [a little late|just in time|of course].

likes :
  {hero.He} was <trait>, and {hero.he} [loved|liked] {pastime_a:pastime}[| and {pastime_b:pastime}].
  {hero} loved {:pastime} [more than anything|all day long|even in the rain]. [Everyone|{hero.His} {:kin}] said that {hero.he} was <trait>.
  {hero.He} was <trait>. [On Sundays|After school|Whenever {hero.he} could,] {hero.he} spent hours {:pastime}.
  Nobody was better at {:pastime} than {hero.he} was. And nobody was as {tr:trait}.
  "So {tr:trait}, that child!" said the {:worker}[|, not for the first time].
  {hero.His} {:kin} called {hero.him} "my {tr:trait} one".
  {hero.He} knew all about {pastime_a:pastime}, but nothing about {pastime_b:pastime}, and {hero.he} was <trait>.
  [Perhaps|It may be that] {hero.he} was <trait>; {hero.he} was certainly good at {:pastime}.
  ^What did {hero} like? {:pastime.Word}, {:snack} and {:color} [socks|boots|hats]. And what was {hero.he} like? {tr:trait.Word}, [mostly|as a rule|and proud of it].
  ^{hero.He} had [three|four|too many] cousins and a [canary|goldfish|bicycle], and {hero.he} was <trait>.
  ^People said two things about {hero.him}: that {hero.he} was {tr:trait}, and that {hero.he} never stopped {:pastime}.

trait = a little {tr:trait}|very {tr:trait}|[always|often] {tr:trait}

hour :
  <day_time>, [something happened|everything changed|there was a surprise]. <weather>
  <weather> It was {!time=morning}[early|nearly breakfast time|half past eight].
  <weather> It was {!time=afternoon}[after lunch|past three o'clock|late in the day].
  <day_time>, {hero} [had nothing to do|could not sit still|went for a walk|had a plan]. <weather>
  <day_time>, {hero} [looked up at|opened the door and sniffed] the sky. <weather>

plot :
  3: {!lesson=help}{!span=day}<lost>
  3: {!lesson=truth}{!span=day}<broken>
  3: {!lesson=friend}{!span=day}<borrowed>
  3: {!lesson=help}{!span=day}<animal>
  3: ?weather=sun/wind {!lesson=friend}{!span=day}<rained_out>
  3: {!lesson=help}{!span=night}<night>
  3: {!lesson=patience}{!span=day}<baking>
  3: {!lesson=friend}{!span=day}<contest>
  3: ?weather=sun/wind/rain/fog {!lesson=patience}{!span=long}<garden>
  3: {!lesson=friend}{!span=day}<newcomer>
  3: {!lesson=help}{!span=day}<map>
  3: {!lesson=help}{!span=day}<stuck>
  3: {!lesson=help}{!span=day}<show>
  3: {!lesson=truth}{!span=day}<secret>
  2: {!lesson=friend}{!span=day}<trade>
  2: {!lesson=friend}{!span=day}<quarrel>
  3: {!lesson=friend}{!span=day}<surprise>
  3: {!lesson=help}{!span=day}<astray>
  3: {!lesson=patience}{!span=day}<invention>
  3: {!lesson=truth}{!span=day}<rumor>

lost :
  But where was {hero.his} <look(thing)>? <owned> <lost_turn>
  {hero} could not find {hero.his} <look(thing)> [anywhere|that day]. <owned> <lost_turn>
  [Just then|Suddenly|All at once] {hero} noticed that something was missing: {hero.his} <look(thing)>! <owned> <lost_turn>
  {hero.His} pocket was empty. {hero.His} <look(thing)> was gone! <owned> <lost_turn>
  It was the one thing that {hero} never lost: {hero.his} <look(thing)>. And now it was lost. <owned> <lost_turn>
  "Has anybody seen my {thing:thing}?" asked {hero}. Nobody had. <owned> <lost_turn>

# A thing for a register, with the color that such a thing can have.
look(x) = 3:{:size} {:color} {x:thing+paint}|{:size} {:cloth} {x:thing+cloth}|{:mark} {x:thing+find}
a_look(x) = 3:{:size.a} {:color} {x:thing+paint}|{:size.a} {:cloth} {x:thing+cloth}|{:mark.a} {x:thing+find}
look_breaks(x) = 3:{:size} {:color} {x:thing+paint+breaks}|{:mark} {x:thing+find+breaks}
a_look_breaks(x) = 3:{:size.a} {:color} {x:thing+paint+breaks}|{:mark.a} {x:thing+find+breaks}

it_was :
  ?thing+paint It was {:color} and very {:fine}.
  ?thing+cloth It was {:cloth} and very {:fine}.
  ?thing+find There was only one like it in the whole [village|world].

class fine
  small, old, fine, pretty, rare, ^handsome, ^splendid, ^elegant, ^precious

owned :
  {hero.His} {giver:kin} had given it to {hero.him}, and {hero} loved {thing.play} it.
  It had been a birthday present from {hero.his} {giver:kin}.
  {hero} had saved {hero.his} money for [weeks|a whole year] to buy it.
  {hero.He} and {hero.his} {giver:kin} had found it [long ago|last summer] {:place.at}.
  It was the only one that {hero} had ever had, and {thing.play} it was the best part of the day.
  {hero} had taken it to bed, to school and once into the bath.

lost_turn = <sad(hero)> <search> <lost_helper>

search :
  {hero.He} looked {spot_a:spot} and {spot_b:spot}, but [it was not there|found nothing but dust].
  {hero.He} turned the whole house upside down. [No luck|Nothing].
  "Think," {hero} told {hero.himself}. "Where did I have the {thing} last?" It must have been {:place.at}.
  {hero.He} asked the {:worker}, and the {:worker}'s {:animal}. Neither had seen it.
  {hero.He} made a list of places: {spot_a:spot}, {spot_b:spot}, everywhere else. {hero.He} crossed them out one by one.

lost_helper :
  {friend:child} [heard|saw] {hero} and came over. <comfort(friend, hero)> So the two of them went to search {place:place+out.at}. <journey> <lost_found>
  Luckily, {friend:child} came by. "I'll help you look for the {thing}," {friend.he} said. "Let's begin {place:place+out.at}." <journey> <lost_found>
  {hero} asked {friend:child}, who [knew every corner of the village|was good at finding things]. "[Hmm|Let me think]," said {friend}. "You played {place:place+out.at} yesterday, didn't you?" They set off together. <journey> <lost_found>
  "What are you looking for?" said a voice. It was {friend:child}. {hero} told {friend.him}. "Then I'm looking for it, too," {friend.he} said, and off they went {place:place+out.to}. <journey> <lost_found>
  {friend:child} had lost something, too: {friend.his} {pair:thing}. So they went together {place:place+out.to}, looking for both. The {pair} was in {friend}'s own [bag|pocket], as it turned out. <journey> <lost_found>

lost_found :
  3: There, {:spot+out}, [lay|was] the {thing}! <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  2: {friend} saw something [sticking out|half hidden] {:spot+out}. "Is that your {thing}?" It was! <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  2: {thief:animal.A} was [sitting|sleeping] there, and [under it lay|beside it was] the {thing}. {hero} gave the {thief} some {:snack}, and it [let go|trotted away|made room]. <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  1: {!span=long}They looked until it was [dark|too late to look], but they never found the {thing}. <sad(hero)> The next day {friend} came with {:color.a} [parcel|box]. It wasn't the {thing}; it was something {friend} had made for {hero.him}. <glad(hero)>¶<ending(hero, friend)>
  2: "[Is this yours|Are you looking for this]?" asked {other:child}, who was standing there with the {thing}. {other.He} had found it {:spot+out} and kept it safe. <glad(hero)> <thank(hero, other)>¶<ending(hero, friend)>

journey :
  3: They walked [side by side|quickly|hand in hand].
  2: <obstacle(hero, friend)>
  1: <snack_break(hero, friend)>
  1: <advice(hero)>
  ^3: <obstacle(friend, hero)> <snack_break(friend, hero)>
  ^3: <advice(friend)> <obstacle(hero, friend)>
  1: <obstacle(friend, hero)>
  1: "Tell me a story on the way," said {friend}. {hero} told one about {:monster.a} who [had no shoes|couldn't swim|was afraid of soup], and before it was over, they were there.
  1: They met {other:child}, who was [carrying {:snack}|walking backward|in a great hurry] and would not say why.

broken :
  "Look what I've got," said {friend:child}. It was <a_look_breaks(thing)>. {friend.He} let {hero} [hold|have] it [for a moment|while {friend.he} tied {friend.his} shoe]. <snap> <sad(friend)> <owning_up>
  {hero} and {friend:child} were playing {place:place.at}. {friend} had brought {friend.his} <look_breaks(thing)>. "[Be careful|Don't drop it]," said {friend}. <snap> <sad(friend)> <owning_up>
  {friend:child} [loved|was proud of] {friend.his} <look_breaks(thing)> and showed it to {hero}. {hero} wanted to try {thing.play} it. <snap> <sad(friend)> <owning_up>
  On {friend:child}'s shelf stood <a_look_breaks(thing)>. "You may look, but don't touch," said {friend}. {hero} touched it. <snap> <sad(friend)> <owning_up>

snap :
  But {hero} [slipped|stumbled|sneezed], the {thing} fell to the ground, and the {thing.part} came off.
  It happened in a second: [crack|rip|snap] went the {thing.part}, and the {thing} was broken.
  Then [the wind blew|{:animal.a} ran past], {hero} let go, and the {thing} hit a stone. The {thing.part} was broken.
  {hero} only wanted to see how it worked. There was a small click, and the {thing.part} lay in {hero.his} hand.
  Somebody [called|laughed], {hero} turned around, and down it went. The {thing.part} rolled under a bench.

owning_up :
  3: <sorry(hero, friend)> <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  2: {hero} was [frightened|ashamed] and ran [home|away]. {hero.He} hid {:spot} and felt worse and worse. In the end {hero.he} went back to {friend}. <sorry(hero, friend)> <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  1: "It was the {:animal}," said {hero}. But that was [a lie|not true], and {hero.he} could not [eat|sleep|smile] that night. The next day {hero.he} told {friend} the truth. <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  1: {hero} put the {thing} behind {hero.his} back. "Show me," said {friend}. There was no way out. <sorry(hero, friend)> <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  1: "You broke it!" <say> {friend}. {hero} [nodded|couldn't look up]. "Yes," {hero.he} said, "and I'll put it right."¶<repair> <ending(hero, friend)>

repair :
  Together they took the {thing} to the {fixer:worker}. "I need [a drop of|a bit of|some] {thing.fix}," said the {fixer}, and [in no time|after an hour] the {thing.part} was back where it belonged. <glad(friend)>
  {hero} fetched {thing.fix} and [set to work|tried to mend it]. The first time the {thing.part} fell off again. The second time it held! <glad(friend)>
  {hero.His} {fixer_kin:kin} knew what to do. With {thing.fix} and a steady hand {fixer_kin.he} fixed the {thing.part}. "[As good as new|Good as ever|There]," said {hero}. <glad(friend)>
  The {thing} could not be mended. So {hero} gave {friend} {hero.his} own {gift:thing}. "[It's yours now|I want you to have it]," {hero.he} said. <glad(friend)>
  They tried {thing.fix}. They tried string. They tried shouting at it. In the end {other:child} came by and did it in a minute. <glad(friend)>
  It never looked quite the same, with {thing.fix} all over the {thing.part}. "I like it better this way," said {friend}. "It has a story now."

borrowed :
  "May I borrow your {thing:thing}?" {hero} asked {friend:child}. <it_was> <lending>
  {friend:child} had <a_look(thing)>, and {hero} wished for nothing more than [to hold|to borrow] it. At last {hero.he} asked. <lending>
  {hero} wanted to try {friend:child}'s <look(thing)>. "Please lend me your {thing}," {hero.he} begged. "Just for one day!" <lending>
  {hero} had seen {friend:child} with a wonderful {thing:thing} and could think of nothing else. "[Only until tomorrow|I'll be ever so careful]," {hero.he} said when {hero.he} asked for it. <lending>

lending :
  "[Of course|Yes]," said {friend}, "but bring it back [tomorrow|before Sunday|when you're done]." {hero} promised. <with_it> <giving_back>
  {friend} [hesitated|thought about it]. "[All right|Very well], if you take good care of the {thing}." {hero} [nodded|gave {hero.his} word]. <with_it> <giving_back>
  "No," said {friend}. {friend.He} held the {thing} tight. <sad(hero)> Then {friend} [felt sorry|changed {friend.his} mind]. "Here," {friend.he} said, "but only for today." <with_it> <giving_back>
  "What will you give me for it?" asked {friend}. {hero} turned out {hero.his} pockets: {:treasure.a}, some {:snack} and a button. {friend} laughed and handed over the {thing}. <with_it> <giving_back>

with_it :
  {hero} took the {thing} [everywhere|home and showed it to {hero.his} {:kin}]. {hero.He} had a wonderful time {thing.play} it {place:place.at}.
  All day {hero} did nothing but think about {thing.play} it. {other:child} came to see the {thing}, too.
  What fun it was! {hero} [forgot lunch|forgot the time|stayed out until dark] {place:place.at}.
  {hero} slept with the {thing} [under the pillow|beside the bed], and in the morning it was the first thing {hero.he} saw.
  {other:child} wanted a turn, too, and so did half the street. {hero} held on to the {thing} and said no to everyone.

giving_back :
  3: But when it was time to give the {thing} back, {hero} could not find it. <sad(hero)> {hero.He} searched {:spot}. There it was! {hero} ran straight to {friend}. <returned>
  2: In the evening {hero} [cleaned|polished|brushed] the {thing} and took it back to {friend}. <returned>
  2: "I could keep it," thought {hero}. "Nobody would know." But {hero} would know. {hero.He} got up and took the {thing} to {friend}. <returned>
  1: On the way back {hero} [fell|slipped], and the {thing} landed in a puddle. {hero} dried it with {hero.his} own [shirt|scarf]. "I'm sorry," {hero.he} told {friend}. "It got wet." <returned>
  1: But {guest:animal.a} had seen the {thing}, too, and it ran off with it! {hero} chased it {place:place+out.to} and won. A little [dirty|chewed], the {thing} came home. <returned>
  1: {!span=long}Days passed. Each morning {hero} said, "Today I'll take it back," and each evening {hero.he} hadn't. Then {friend} fell ill. {hero} took the {thing} to {friend.his} bed at once. <returned>

returned :
  <thank(hero, friend)>¶<ending(hero, friend)>
  "You brought it back!" said {friend}. "[I knew you would|You can borrow it again|Now let's play together]."¶<ending(hero, friend)>
  {friend} was so pleased that {friend.he} [let {hero} keep the {thing}|asked {hero} to stay for supper|showed {hero} all {friend.his} treasures].¶<ending(hero, friend)>

animal :
  {place:place+out.At}, {hero} heard a [tiny|sad|soft] cry. It was {pet:animal.a}, and it <pet_trouble> <pet_help>
  {hero} was on {hero.his} way [home|to school] when {hero.he} saw {pet:animal.a} {:spot+out}. It <pet_trouble> <pet_help>
  There was {pet:animal.a} {:spot}! {hero} had never seen it before. It <pet_trouble> <pet_help>
  "Did you hear that?" said {hero.his} {walk:kin}. They were {place:place+out.at}. {hero} pushed a branch aside and saw {pet:animal.a}. It <pet_trouble> <pet_help>
  Something followed {hero} all the way home. {hero.He} turned around: it was {pet:animal.a}! It <pet_trouble> <pet_help>

pet_trouble = had hurt its leg.|was shaking with cold.|was all alone and hungry.|could not get out of a hole.|had lost its mother.|was caught in some string.|^had a thorn in its foot.|^was too tired to move.|^had eaten something bad and looked rather green.

pet_help :
  "Don't be afraid, little {pet}," <say> {hero}. {hero.He} [knelt down|held out {hero.his} hand|kept very still]. <pet_trust> <pet_next>
  {hero} ran to get {friend:child}. "Come quickly, there's {pet.a} in trouble!" The two of them [hurried|ran] back. <pet_trust> <pet_next>
  {hero} did not know what to do, so {hero.he} went to the {vet:worker}. "[Keep it warm|Give it water|Be gentle]," said the {vet}. <pet_trust> <pet_next>
  {hero.His} {nurse:kin} brought a box with straw in it, and {hero} sat beside it all afternoon, telling the {pet} what {hero.he} knew about {:pastime}. <pet_trust> <pet_next>

pet_trust :
  The {pet} was [frightened|shy] at first, but when {hero} offered it some {:snack}, it came [closer|nearer, step by step].
  {hero} wrapped the {pet} in {hero.his} {:color} [coat|scarf|blanket]. It [stopped trembling|closed its eyes].
  ^The {pet} looked at {hero}, and {hero} looked at the {pet}. Then it made up its mind and [licked|sniffed|nudged] {hero.his} sleeve.
  It would not eat. It would not drink. But when {hero} began to hum, it [listened|lifted its head].
  "What's your name?" asked {hero}. The {pet} sneezed. "[Bless you|Then I'll call you Button]," said {hero}.

pet_next :
  3: {!span=long}For [three days|a week] {hero} looked after it [in {hero.his} room|in the shed]. Each day the {pet} was a little stronger. <pet_end>
  2: {hero} asked {hero.his} {host:kin}, "May we keep it?" "Only until it's well," said {hero.his} {host}. <pet_end>
  2: "Somebody must be missing you," said {hero}. {hero.He} asked {owner:child}, and {owner} asked {other:child}. It was {other}'s {pet}! <glad(other)> <thank(other, hero)>¶<ending(hero, other)>

pet_end :
  Then the day came to say goodbye. {hero} carried the {pet} back to where {hero.he} had found it. It looked around once and was gone. <sad(hero)> But {hero.he} knew that it was right.¶<home(hero)>
  One [bright|gray|quiet] morning the {pet}'s mother stood at the door. Off they went, side by side. <glad(hero)>¶<home(hero)>
  The {pet} did not want to leave. "Then stay," said {hero}, and so it did. [It lives there still|They were never apart again].¶<sky_end>
  When it was well, {hero} opened the door. It went [as far as the gate|once around the house] and came back again, and that was that.¶<home(hero)>
  Now and then, when {hero} is {place:place+out.at}, something [rustles|calls], and {hero} knows who it is.¶<sky_end>

rained_out :
  {hero} and {friend:child} wanted to have a picnic {place:place+out.at}. They packed {snack_a:snack}, {snack_b:snack} and {:color.a} blanket. <clouds> <plan_b>
  It was the day of the big trip: {hero}, {friend:child} and a basket full of {:snack} were going {place:place+out.to}. <clouds> <plan_b>
  For weeks, {hero} and {friend:child} had been looking forward to a day {place:place+out.at}. <clouds> <plan_b>
  "[What a day for a walk|Today nothing can go wrong]!" said {friend:child}. {hero} had packed {:snack} and a rope, and they were off {place:place+out.to}. <clouds> <plan_b>

clouds :
  {!weather=rain}But [as soon as they left|before they got there|in the middle of it all] a [thunderstorm|heavy shower|cold drizzle] began. <sad(hero)>
  {!weather=rain}Then [black|gray|heavy] clouds came up, and [drip, drop,|before long] it was pouring. <sad(friend)>
  But a bridge was closed, and the {:worker} sent them home. <sad(hero)>
  {!weather=rain}A drop fell on {hero}'s nose. "That was nothing," {hero.he} said. Then came the rest of it. <sad(friend)>

plan_b :
  "[Wait|I know]!" <say> {friend}. "We can have it [indoors|under the table|in the attic|in the hay]!" They [spread out the blanket|built a tent out of sheets]. <plan_fun>
  {hero.His} {host:kin} saw their long faces. "[Who needs sunshine|Come inside]," said {hero.his} {host}. "We'll make [a fort|a circus|an ocean|a jungle] out of [chairs|boxes|pillows]." <plan_fun>
  {hero} looked [left|around], and there was an old {:color} [barn|boat|bus|shed] with a dry roof. In they went. <plan_fun>
  "Who says a picnic must be dry?" asked {friend}. They took the biggest umbrella in the house and sat down under it. <plan_fun>

plan_fun :
  They played [pirates|castle|shop|hospital|zoo] and [told riddles|sang songs|made shadow animals]. {guest:animal.A} came in to get dry, and they gave it some {:snack}. <glad(friend)>¶<ending(hero, friend)>
  {friend} had brought {friend.his} {thing:thing}, and they took turns {thing.play} it. Nobody [looked at the clock|thought of going out]. <glad(hero)>¶<ending(hero, friend)>
  ^They held a feast. {hero} was [the king|the queen|the cook], {friend} was [the dragon|the guest of honor|the band], and {guest:animal.a} that wandered in was [the audience|the chief of police]. <glad(friend)>¶<ending(hero, friend)>
  They took turns telling the worst thing that had ever happened to them. {hero}'s was about {:animal.a} and some {:snack}. {friend}'s was longer. <glad(friend)>¶<ending(hero, friend)>
  They counted drops, and puddles, and the seconds between them. When it stopped, they were almost sorry.¶<ending(hero, friend)>

night :
  {hero} was staying with {friend:child} that night. The lamp was out, and then came {sound:noise.a}. <fear> <brave_look>
  That night {hero} could not sleep. There was {sound:noise.a} {:spot}! <fear> {friend:child}, who was staying the night, sat up as well. <brave_look>
  "What was that?" whispered {friend:child}. {hero} had heard it, too: {sound:noise.a}, somewhere in the dark. <fear> <brave_look>
  [Bump|Creak|Tap, tap], went something in the dark. {hero} shook {friend:child}, who was staying that night. "There! {sound:noise.A}!" <fear> <brave_look>

fear :
  Could it be {beast:monster.a}? {hero} pulled the blanket over {hero.his} head.
  {hero} thought of {beast:monster.a} with [yellow|red|glowing] eyes. {hero.His} heart [pounded|thumped|beat fast].
  "[Maybe it's|It must be|I bet it's] {beast:monster.a}," said {hero} in a very small voice.
  Everybody knew the tale of the {beast:monster} who came on nights like this. {hero} [wished {hero.he} didn't|tried to forget it].
  "Don't think of {beast:monster.pl}," {hero} told {hero.himself}, and then {hero.he} could think of nothing else.

brave_look :
  "We'll look together," said {friend}. They took a [lantern|candle|flashlight] and [crept|tiptoed] toward the {sound}. <truth>
  {hero} took a deep breath. "I won't be scared by {sound.a}," {hero.he} said. Step by step, {hero.he} and {friend} [went down the stairs|went closer]. <truth>
  There it was again, the {sound}! {friend} [grabbed a broom|held {friend.his} breath], {hero} [opened the door|lit a candle], and they looked. <truth>
  "You go first," said {friend}. "No, you," said {hero}. In the end they went side by side, holding one {:color} blanket in front of them. <truth>

truth :
  It was no {beast}. It was only {guest:animal.a} that had [come in from the cold|got stuck|knocked over a pot]. {hero} and {friend} [laughed until their sides hurt|began to giggle]. They gave the {guest} some {:snack}. <glad(hero)>¶<moral(friend)>
  And what did they find? A loose [branch|shutter|gate] [swinging|tapping|creaking] in the wind! "Some {beast}!" said {friend}, and they both [laughed|went back to bed]. <moral(friend)>
  There stood {hero.his} {host:kin} with [a plate of {:snack}|a broken cup|one sock]. "Did I wake you?" asked {hero.his} {host}. They all had warm milk, and nobody thought about the {beast} any more.¶<moral(friend)>
  Nobody was there. Only the stairs creaked, as stairs do. "[Good night, {beast}|Sleep well, {beast}]," said {hero} into the dark, just in case. <moral(friend)>
  It was {other:child}, with one foot through the [window|hedge], bringing back a borrowed {:thing}. "I didn't want to wake anyone," {other.he} said. <glad(friend)>¶<moral(friend)>

baking :
  It was {friend:child}'s birthday, and {hero} wanted to make {dish:food.a}. <cooking>
  {friend:child} was ill in bed. "I'll make {friend.him} {dish:food.a}," thought {hero}. <cooking>
  "Today we'll cook {dish:food.a}," {hero} told {friend:child}. "[You stir|You read the recipe|I'll be the chef]." <cooking>
  The {guest_of:worker} was coming to supper, and there was nothing in the house. "We can make {dish:food.a}," {hero} told {friend:child}. "How hard can it be?" <cooking>
  In {hero.his} {cook:kin}'s cookbook there was a page with a stain on it. "{dish:food.Word}," {hero} read. {friend:child} had always wanted to try it. <cooking>

cooking :
  {hero} [mixed|measured] the {ingredient_a:ingredient} and the {ingredient_b:ingredient}. <kitchen_trouble> <tasting>
  First came the {ingredient_a:ingredient}, next some {ingredient_b:ingredient}, and a spoonful of {ingredient_c:ingredient}. <kitchen_trouble> <tasting>
  {hero.His} {host:kin} showed {hero.him} where to find the {ingredient_a:ingredient} and the {ingredient_b:ingredient}. <kitchen_trouble> <tasting>
  The recipe said {ingredient_a:ingredient}, but there was only {ingredient_b:ingredient}. "It'll do," said {hero}. <kitchen_trouble> <tasting>

kitchen_trouble :
  But they had run out of {missing:ingredient}! {hero} [ran|hurried] to {neighbor:child}'s house. {neighbor} [gave|lent] {hero} a [cup|bowl] of {missing}. <thank(hero, neighbor)>
  {hero} took salt for sugar, and it tasted [horrible|like the sea]. <sad(hero)> {hero.He} started all over again.
  Then {guest:animal.a} jumped up and [knocked the bowl over|ate half of it]. "Shoo!" <say> {hero}, and {hero.he} began again.
  It [smelled wonderful|rose and rose|turned golden], and {hero} [waited|watched it] without moving.
  ^{hero} forgot the time, and smoke came out of the oven. The top was as black as a boot. "We'll scrape it off," {hero.he} said.
  The bowl slid from the table. [Crash|Splash]! {hero} looked at the floor for a while. Then {hero.he} fetched another bowl.
  "More {more:ingredient}," said {other:child}, who had come to watch. "Less {more}," said {hero.his} {host:kin}. {hero} shut the door on both of them.

tasting :
  When the {dish} was ready, {hero} [brought|carried] it to {friend}. "It's [delicious|the best I've ever had]!" said {friend}. <glad(hero)>¶<ending(hero, friend)>
  {friend} took one bite of the {dish} and [said nothing|closed {friend.his} eyes]. Then {friend.he} took another, and another. <glad(friend)>¶<ending(hero, friend)>
  The {dish} was [crooked|a little burned|flat], but {friend} ate every crumb. <thank(friend, hero)>¶<ending(hero, friend)>
  The {dish} came out [blue|as hard as a brick|twice as big as it should]. They looked at it. They tried it. "[Not bad|It's wonderful]!" said {friend}, and {friend.he} meant it. <glad(hero)>¶<ending(hero, friend)>
  Before anyone could taste the {dish}, {thief:animal.a} came through the window. There was just enough left for two spoons. "[The best I ever had|I want more]," said {friend}. <glad(hero)>¶<ending(hero, friend)>

contest :
  There was going to be a <race_kind> {place:place+out.at}, and the prize was <a_look(thing)>. {hero} wanted to win. So did {friend:child}. <rivals> <race>
  "I'm faster than you," said {friend:child}. "No, I am," said {hero}. So they agreed to race {place:place+out.to} and back. The winner would get {friend}'s <look(thing)>. <rivals> <race>
  Every year the village held a race, and this year the prize was <a_look(thing)>. {hero} practiced [before breakfast|every day]. {friend:child} practiced, too. <rivals> <race>
  "First one {place:place+out.to} gets my <look(thing)>," said {other:child}. {hero} looked at {friend:child}. {friend} looked at {hero}. <rivals> <race>

race_kind :
  ?weather=snow [sledge race|snowball match|skating race]
  ?weather=sun/wind/rain/fog [race|sack race|relay race|three-legged race]

rivals :
  [Ready, steady, go|One, two, three]! Off they [ran|went].
  {starter:worker.A} [waved {:color.a} flag|blew a whistle|counted to three], and they were off.
  {hero} was in front at first, then {friend}, then {hero} again.
  {hero} had the longer legs, and {friend} had the better shoes. They ran.
  Somebody sneezed. {hero} took it for the signal and was off, with {friend} close behind.

race :
  2: Halfway there {friend} fell and hurt {friend.his} knee. {hero} could have [won|run on], but {hero.he} [stopped|turned back]. <comfort(hero, friend)> They crossed the line together, last of all. <prize_shared>
  2: {hero} ran as fast as {hero.he} could, and {hero.he} won by a nose! <glad(hero)> But {friend} looked so sad that {hero} [went over to {friend.him}|lost {hero.his} smile]. <prize_shared>
  2: {friend} won. {hero} [swallowed hard|wanted to cry], but then {hero.he} shook {friend}'s hand. "[Well done|You were great], {friend}," {hero.he} said. <prize_shared>
  1: Neither of them won. {last:child} came from behind and passed them both! {hero} and {friend} [stared|looked at each other] and burst out laughing. <ending(hero, friend)>
  1: Around the last corner stood {guest:animal.a}, right in the way. {hero} went left, {friend} went right, and they came in at the very same moment. <prize_shared>

prize_shared :
  "Let's share the {thing}," said {friend}. "You have it on [Mondays|odd days], I'll have it on [Fridays|even days]."¶<ending(hero, friend)>
  The {judge:worker} gave the {thing} to both of them, because [they had been fair|kindness counts, too].¶<ending(hero, friend)>
  As for the {thing}, they gave it to {other:child}, who [had no toys|had lost a tooth|was too small to run].¶<ending(hero, friend)>
  "What are we to do with {thing.a}?" asked {friend}. They [sold it and bought {:snack}|put it on the wall of the school|gave it back].¶<ending(hero, friend)>

garden :
  {hero.His} {giver:kin} gave {hero.him} a [tiny|strange|round] seed. "[What will it be|What is it]?" asked {hero}. "Wait and see," said {hero.his} {giver}. <planting>
  {hero} and {friend:child} each planted a seed {:spot+out}. "Mine will be [taller|prettier]," said {friend}. <planting>
  {hero} found a bag of seeds {:spot}. {hero.He} dug a little bed and put them in, one by one. <planting>
  {hero} had swapped {:snack} for [three|seven] seeds. "They're magic," {friend:child} had said. {hero} wasn't sure, but {hero.he} planted them {:spot+out}. <planting>

planting :
  {hero} watered it [each morning|every evening] and [sang to it|pulled out the weeds]. A week went by. Nothing happened. <sad(hero)> <garden_trouble> <harvest>
  Day after day {hero} [looked at the bare earth|ran out to look]. "[Grow|Hurry up]!" {hero.he} told the ground. <garden_trouble> <harvest>
  {hero} put up a sign: "Please don't step here." Rain fell, and the sun shone. {hero} [measured the ground with a ruler|sat beside it and read aloud]. <garden_trouble> <harvest>

garden_trouble :
  Then {guest:animal.a} dug [everything up|a big hole]! {hero} put it all back and built a small fence.
  "You're drowning it," said the {expert:worker}. "A little water, a lot of patience." {hero} [listened|nodded].
  It got very hot, and the earth [cracked|turned to dust]. {hero} carried water all the way from the [river|pump|well].
  A storm came in the night and flattened everything. {hero} tied each stalk to a stick with {:color} wool.
  "Perhaps it's asleep," said {whisperer:child}. So they talked in whispers, just in case.

harvest :
  And one morning there it was: a [fine|fat|perfect|tiny|splendid] {crop:plant}! <glad(hero)> {hero} showed it to {pal:child}. "You grew the {crop} all by yourself," said {pal}. [They picked it together|They gave it to {hero.his} {:kin}].¶<ending(hero, pal)>
  At last a green tip came up, and [soon|a month later] there stood the finest {crop:plant} in the village. {hero} gave it to {pal:child}, who [was ill|had never had one|lived next door]. <thank(pal, hero)>¶<ending(hero, pal)>
  It was a {crop:plant}, and it was no bigger than a thumb. {hero} thought that {hero.he} had never seen anything so fine. {hero.He} showed it to {pal:child}, who thought so, too. <glad(hero)>¶<ending(hero, pal)>
  First there was one leaf, then there were two, and in the end there was a {crop:plant} so big that {pal:child} had to help {hero} to lift it. <thank(hero, pal)>¶<ending(hero, pal)>

newcomer :
  A new [family|neighbor] had moved in [next door|down the road], and there was a child, too: {friend:child}. <standoff> <ice>
  ?time=morning There was somebody new at school. The teacher said, "This is {friend:child}. [Be nice|Make room]." <standoff> <ice>
  {hero} saw {friend:child} for the first time that day. {friend.He} was {friend.kind} from far away and [sat alone|knew nobody]. <standoff> <ice>
  Somebody was sitting on {hero}'s favorite bench. "I'm {friend:child}," said the stranger. "I live here now." <standoff> <ice>

standoff :
  {friend} [didn't say a word|only looked at the floor]. {hero} didn't know what to say either.
  "{friend.He} [talks strangely|looks grumpy|has such odd shoes]," whispered {other:child}. {hero} [said nothing|felt uneasy].
  ^{hero} waved. {friend} did not wave back. {hero} waved with both arms. {friend} [shut the door|went red].
  "Hello," said {hero}. "Hello," said {friend}. After that neither could think of a word.
  {hero} had planned what to say, but all of it was gone.

ice :
  Then {hero} saw that {friend} had <a_look(thing)>. "[I've got one, too|What a fine {thing}|Can you show me how it works]?" asked {hero}. For the first time {friend} smiled. <together>
  ?time=morning At lunch {friend} had nothing to eat. {hero} pushed half of {hero.his} {meal:snack} across the table. "Do you like {meal}?" [It turned out {friend.he} did|"I love {meal}," said {friend}]. <together>
  {guest:animal.A} [ran|limped] between them, and both bent down to stroke it. They bumped heads. "[Ouch|Sorry]!" they said at the same time, and laughed. <together>
  A ball came over the wall, and then {:animal.a} came after it. {hero} threw the ball to {friend}. {friend} threw it back. After that it was easy. <together>
  "Is it true," asked {friend}, "that there's {local:monster.a} {place:place+out.at}?" "[Only on Tuesdays|Not any more]," said {hero}. "I'll show you." <together>

together :
  {friend} told {hero} about the place {friend.he} came from, where there were [{:color} houses|mountains|two {:animal.pl} in every garden]. {hero} showed {friend} the way {place:place+out.to}. <journey> <glad(friend)>¶<ending(hero, friend)>
  By the end of the day {friend} knew {hero}'s [house|secret den|grandmother] and {hero} knew six words of {friend}'s language. <glad(hero)>¶<ending(hero, friend)>
  {friend} could [walk on {friend.his} hands|whistle with two fingers|wiggle {friend.his} ears], and {hero} learned it, nearly. <glad(friend)>¶<ending(hero, friend)>
  They built a den {place:place+out.at} and told nobody about it, except {other:child}, who had to swear an oath. <glad(hero)>¶<ending(hero, friend)>

map :
  {hero} found an old map [in a book|in a bottle|under the floor]. {:color.A} cross marked a place {place:place+out.at}. {hero.He} [ran to fetch|told] {friend:child}. <expedition>
  "Look at this," said {friend:child}. {friend.He} had a piece of paper with a map on it. The path went [past|around] the [well|mill|rock] and ended {place:place+out.at}. {hero} [fetched a spade|put on {hero.his} hat]. <expedition>
  There was a note on {hero}'s pillow: "Go {place:place+out.to} and look {:spot+out}." {hero.He} showed it to {friend:child}. <expedition>
  "X marks the spot," read {hero}. The paper had come out of {hero.his} {giver:kin}'s old [coat|clock|cookbook]. {friend:child} already had a shovel, and they went {place:place+out.to}. <expedition>

expedition :
  <obstacle(hero, friend)> <clue> <chest>
  <advice(hero)> <clue> <chest>
  ^<obstacle(friend, hero)> <snack_break(hero, friend)> <clue> <chest>
  <snack_break(hero, friend)> <clue> <chest>
  It was farther than it looked on the paper. {hero} sang, {friend} complained, and {companion:animal.a} followed them the whole way. <clue> <chest>

clue :
  When they got there, they found [a second note|an arrow made of stones|footprints]. It led them to something {:spot+out}.
  {friend} counted [ten|twenty|forty] steps. {hero} dug until {hero.his} arms ached.
  "Nothing here," said {friend}. "Turn the map around," said {hero}. They had been [holding it upside down|reading it backward]!
  The [tree|rock|post] from the map was still there, with a [star|cross|heart] cut into it. They dug where its shadow ended.
  "Here," said {hero}. "There," said {friend}. They dug two holes, and {friend}'s was the right one.

chest :
  There was {:mark.a} box, and in it lay {prize:treasure.a}! <glad(friend)> <chest_end>
  What they found was {prize:treasure.a}, wrapped in {:color} cloth. <glad(hero)> <chest_end>
  At the end of the trail sat {hero}'s {host:kin} with [a cake|a basket of {:snack}] and {prize:treasure.a}. "[Surprise|Happy birthday|It took you long enough]!" <chest_end>
  The spade hit something hard. It was an old [tin|jar|boot], and when they shook it, out fell {prize:treasure.a}! <glad(friend)> <chest_end>

chest_end :
  They decided to [keep the {prize} in a secret place|take turns with the {prize}|give the {prize} to the museum].¶<ending(hero, friend)>
  The {prize} belonged to the old {owner_job:worker}, who had hidden it as a child and forgotten where. {owner_job.He} [wept for joy|let them keep it].¶<ending(hero, friend)>
  They put the {prize} back, with a note and some {:snack} for whoever would come next.¶<ending(hero, friend)>
  Who had hidden the {prize}? They asked everyone, and everyone had [a different story|a guess]. {friend} liked the one with the {:monster} best.¶<ending(hero, friend)>

stuck :
  {friend:child} was [crying|standing] under a tall tree. {friend.His} <look(thing)> was stuck in the branches. <rescue>
  [Whoosh|Oops]! {hero} had thrown {friend:child}'s <look(thing)> too high, and now it hung in a tree. <rescue>
  {guest:animal.A} sat on the roof and would not come down, and it had {friend:child}'s <look(thing)>. <rescue>
  "Don't laugh," said {friend:child}. {hero} looked up and laughed. There, at the very top of the flagpole, hung {friend}'s <look(thing)>. <rescue>

rescue :
  {hero} [tried a long stick|threw a shoe]. It was no use, and now [it was stuck as well|two things were stuck]. <rescue_more>
  {hero} [jumped|stretched|shook the trunk|made a pile of boxes and stepped on it]. It was no use[|, and {hero.he} only got dirty]. <rescue_more>
  "[Climb up|Shake it|Get a ladder]!" <say> {friend}. {hero} tried, but {hero.he} [was too short|got dizzy|tore {hero.his} sleeve]. <rescue_more>
  They threw [pinecones|mittens|an apple] at it, and they missed every time. A [pigeon|crow] came to watch. <rescue_more>

rescue_more :
  {other:child} came along with [a rope|a net|a ladder]. "[Stand back|Let me try]," said {other}. It did not work at first. Then all three pulled together, and down came the {thing}. <glad(friend)> <thank(friend, other)>¶<ending(hero, friend)>
  "I have an idea," said {hero}. {hero.He} stood on {friend}'s shoulders and reached [up|out]. Closer, closer... got it! {hero.He} [handed|passed] the {thing} to {friend}. <glad(friend)> <thank(friend, hero)>¶<ending(hero, friend)>
  They sat down and waited. After [an hour|a while] there came [a gust of wind|a big crow], and the {thing} dropped right into {friend}'s lap. <glad(friend)> "Sometimes waiting is the best plan," said {hero}.¶<ending(hero, friend)>
  Then {hero.his} {tall:kin} came by, reached up, and took it down. It was as simple as that. <glad(friend)> <thank(friend, hero)>¶<ending(hero, friend)>
  They [leaned a plank against it|piled up every crate they could find]. {hero} climbed, {friend} held on, and at the third try it worked. <glad(friend)>¶<ending(hero, friend)>

show :
  {hero} was going to perform {trick:act.a} in front of [the whole school|the whole village]. {hero.He} [felt sick|had butterflies in {hero.his} stomach]. <rehearsal> <stage>
  "You should do your {trick:act} at the festival," said {hero.his} {giver:kin}. {hero} [wanted to hide|said no, then yes, then no]. <rehearsal> <stage>
  There was a sign on the school door: Talent Show! {hero} signed up with {trick:act.a}. The day before, {hero.he} [wished {hero.he} hadn't|couldn't eat a thing]. <rehearsal> <stage>
  "I can't," said {hero}. "You can," said {friend:child}. The whole village was coming to see {hero} do {trick:act.a}. <rehearsal_with> <stage>

rehearsal_with :
  {friend} made {hero} practice [in front of the mirror|in the barn] until even the {:animal.pl} knew it by heart.
  The night before, {hero} dreamed that {hero.he} had come without [shoes|trousers|a voice].

rehearsal :
  {friend:child} helped {hero.him} to practice {place:place.at}. "[Again|Once more]," {friend.he} said, [ten times|until it was dark].
  {hero} practiced the {trick} for {friend:child} and {guest:animal.a}. The {guest} [yawned|fell asleep], but {friend} clapped.
  <snack_break_alone> {friend:child} told {hero.him}, "Just look at me the whole time."

snack_break_alone = {hero} ate a whole bag of {:snack} to calm {hero.himself}.|{hero} walked up and down {place:place.at}.

stage :
  The big moment came. {hero} stood there and forgot everything. It was silent. Then {friend} [smiled|winked|began to hum] from the front row, and it all came back. <applause>
  In the middle of the {trick} {hero} [dropped {hero.his} hat|tripped over {hero.his} own feet]. People laughed. So {hero} [bowed|did it again, on purpose], and they laughed even more. <applause>
  "I can't do it alone," said {hero}. So {friend} came up, too, and they did the {trick} together. <applause>
  {hero} did it all too fast, and it was over before anyone had noticed. "[Again|Slower]!" someone called. It was {friend}. {hero} took a breath and began once more. <applause>
  The lights went out. In the dark {hero} wasn't afraid at all, and when {friend} came with a candle, {hero.he} had nearly finished the {trick}. <applause>

applause :
  Everybody [clapped|cheered|stamped their feet], and the {judge:worker} shouted, "[Bravo|More]!" <glad(hero)>¶<ending(hero, friend)>
  {hero} won [second prize|{:color.a} ribbon|{prize:treasure.a}]. <thank(hero, friend)>¶<ending(hero, friend)>
  There was one second without a sound, and then so much noise that the {:animal.pl} next door woke up. <glad(hero)>¶<ending(hero, friend)>
  Not everybody liked it. But {hero.his} {giver:kin} did, and {friend} did, and so did {hero}. <thank(hero, friend)>¶<ending(hero, friend)>

secret :
  {hero} had done something [bad|foolish]. {hero.He} had [broken|lost|spilled paint on] {hero.his} {victim:kin}'s {thing:thing}, and nobody knew. <guilt> <confess>
  "Who has taken my {thing:thing}?" asked {hero.his} {victim:kin}. {hero} had, [and dropped it in the river|but {hero.he} didn't say so]. <guilt> <confess>
  The {thing:thing} of {hero}'s {victim:kin} was in two pieces. {hero} had put them [in a drawer|under a cushion], neatly, side by side. <guilt> <confess>

guilt :
  {hero.He} hid {:spot} and [felt sick|counted {hero.his} fingers].
  {hero.His} {victim} [blamed|scolded] the {guest:animal}, and that made it worse. <sad(hero)>
  At supper {hero.he} could not swallow a single bite of {dish:food}. <sad(hero)>
  "You're very quiet," said {hero.his} {victim}. "I'm always quiet," said {hero}, who never was.
  Every knock at the door made {hero} jump.

confess :
  {hero.He} told {friend:child} about it. "You must tell the truth," said {friend}. "I'll come with you." <confession>
  In the night {hero} [got up|lay awake]. In the morning {hero.he} [went to|stood before] {hero.his} {victim}. <confession>
  {friend:child} had seen it all. "I won't tell," said {friend}. "But you should." {friend.He} was right. <confession>
  {hero} wrote a letter. {hero.He} tore it up and wrote a shorter one. Then {hero.he} carried it to {hero.his} {victim} {hero.himself}. <confession>

confession :
  "It was me," {hero} said. "I'm sorry about the {thing}." {hero.His} {victim} was quiet. Then {victim.he} said, "[Thank you for telling me|I'm glad you told me|That took courage]." They [bought a new {thing}|fixed the {thing}|looked for the {thing}] together. <glad(hero)>¶<home(hero)>
  "I did it," said {hero}, and [the whole story came out|{hero.he} began to sob]. "I knew," said {hero.his} {victim}. "I was only waiting." {!span=long}{hero} worked {place:place.at} for a week to pay for the {thing}. <glad(hero)>¶<sky_end>
  {hero.His} {victim} took {hero.him} by the hand and showed {hero.him} a cracked [cup|plate|vase] on the shelf. "I did that when I was your age," {victim.he} said, "and I never told anyone. You're braver than I was." <glad(hero)>¶<home(hero)>

trade :
  {hero} had <a_look(mine)>, and {friend:child} had <a_look(thing)>. "Let's trade," said {friend}. {hero} [agreed|couldn't say no]. <regret>
  "I'll give you my {thing:thing} for your {mine:thing}," said {friend:child}. It sounded like a good deal, and {hero} [shook hands on it|nodded]. <regret>
  {friend:child} had wanted {hero}'s {mine:thing} for a long time. "Swap?" {friend.he} asked, and held up <a_look(thing)>. {hero} [didn't think twice|said yes at once]. <regret>

regret :
  For an hour {hero} enjoyed {thing.play} the {thing}. Then {hero.he} [missed|thought of] the {mine}. <sad(hero)> <trade_back>
  But {hero}'s {asker:kin} asked, "Where is the {mine} I gave you?" {hero} [blushed|looked away]. <sad(hero)> <trade_back>
  {hero} soon [grew tired of|had had enough of] the {thing}. <sad(hero)> <trade_back>
  That night there was an empty place {:spot} where the {mine} had always been. <trade_back>

trade_back :
  {hero.He} went to {friend}. "Can I have my {mine} back?" "[No|A deal is a deal]," said {friend}. <comfort_other> In the end they shared the {mine} and the {thing}.¶<ending(hero, friend)>
  On the way to {friend}'s house {hero} met {friend}, who was on the way to {hero}'s! "I miss my {thing}," said {friend}. They laughed and traded back.¶<ending(hero, friend)>
  "I only want to visit it," {hero} told {friend}. So {hero.he} came every [day|Sunday] to see the {mine}, until {friend} gave it back.¶<ending(hero, friend)>

comfort_other = But when {friend} saw {hero}'s face, {friend.he} [was sorry|sighed].|So {hero} offered {friend} some {:snack} as well.|But {other:child} said, "[That isn't fair|Friends don't do that], {friend}."

quarrel :
  {hero} and {friend:child} were building a [tower|den|castle|bridge|boat] {place:place.at}. {hero} wanted it {:color}. {friend} wanted it {:color}. <fight>
  {hero} and {friend:child} had only one {thing:thing+round} between them. "It's my turn," said {hero}. "No, mine," said {friend}. <fight>
  "You cheated!" <say> {friend:child}. "I did not," said {hero}. They had been playing [cards|marbles|hide-and-seek] {place:place.at}. <fight>
  It began with nothing at all. {hero} said that {:animal.pl} were [cleverer|nicer] than {:animal.pl}. {friend:child} said that they weren't. <fight>
  {friend:child} had told {hero}'s secret to {gossip_child:child}. "You promised!" <say> {hero}. <fight>

fight :
  They [shouted|argued] until {friend} [stamped {friend.his} foot|turned around] and went home. <lonely>
  "I'll never play with you again," said {friend}. "Good," said {hero}. But it wasn't good. <lonely>
  {hero} said something mean, and {friend} said something meaner. Then there was nothing left to say. <lonely>

lonely :
  Playing alone was no fun. {hero} [tried {:pastime}|kicked a stone|talked to {:animal.a}]. <sad(hero)> <peace>
  "Where is {friend}?" asked {hero.his} {host:kin}. {hero} told {host.him} about the quarrel. "Someone has to go first," said {hero.his} {host}. <peace>
  {!span=long}A day passed, and then another. {hero} looked out of the window every [hour|five minutes]. <sad(hero)> <peace>
  {hero} wrote {friend} a letter and didn't send it. {hero.He} drew a picture of {friend} with donkey's ears and didn't laugh. <peace>
  At school they sat back to back. {between:child} had to carry messages: "Tell {hero} that {hero.he} can keep it." "Tell {friend} that I don't want it." <peace>

peace :
  Finally {hero} went to {friend}'s door and knocked. <sorry(hero, friend)> <forgive(friend, hero)>¶<ending(hero, friend)>
  Then there was a knock. It was {friend}. <sorry(friend, hero)> <forgive(hero, friend)>¶<ending(hero, friend)>
  They met by chance {meeting:place+out.at}. Neither spoke. Then both said "sorry" at the very same moment. <glad(friend)>¶<ending(hero, friend)>
  A parcel lay on {friend}'s step: {:snack}, and half of a broken [cookie|ruler|crayon]. {friend} still had the other half. A minute later {friend.he} stood at {hero}'s gate. <glad(hero)>¶<ending(hero, friend)>
  It was {guest:animal.a} that did it. It sat between them and looked from one to the other, and {friend} began to laugh, and then {hero} had to. <glad(friend)>¶<ending(hero, friend)>

surprise :
  It was {hero}'s birthday, and nobody said a word about it. <forgotten> <surprised>
  Something was going on. Whenever {hero} came into a room, people [stopped talking|hid something behind their backs]. And it was {hero.his} birthday! <forgotten> <surprised>
  "Do you know what day it is?" {hero} asked the {asked:worker}. "[Washing day|The day after yesterday|No]," said the {asked}. It was {hero}'s birthday. <forgotten> <surprised>

forgotten :
  {hero.His} {busy:kin} was [too busy to talk|in a hurry]. "Not now," said {hero.his} {busy}. "Could you take this basket to the {errand_to:worker}?" <sad(hero)>
  At school there was no song, and at home there was no cake. <sad(hero)> "I don't care," {hero} told the {:animal} next door, but {hero.he} did.
  {hero} waited for the postman. He brought a [bill|newspaper|seed catalog]. <sad(hero)>
  {hero} put on {hero.his} best {:cloth} [shirt|sweater]. "Very nice," said the {:worker}, and that was all.

surprised :
  But when {hero} opened the door of the [barn|shed|kitchen], there they all were! {friend:child} held {a_gift:thing.a}, tied with a ribbon. "[Surprise|Happy birthday]!" <glad(hero)>¶<ending(hero, friend)>
  Then {friend:child} took {hero} by the hand. "Shut your eyes," {friend.he} said. They walked {place:place+out.to}. "Now look!" There were lanterns, and {dish:food.a}, and everybody {hero} knew. <glad(hero)>¶<ending(hero, friend)>
  In the end {hero} went to bed early. On the pillow lay a note: "Look {:spot}." There was {prize:treasure.a}, and behind the curtain {friend:child} was trying not to laugh. <thank(hero, friend)>¶<moral(friend)>
  At last {hero} said it aloud: "It's my birthday!" "But that's tomorrow!" cried {friend:child}. {hero} [looked at the calendar|counted on {hero.his} fingers]. It was true. <comfort(friend, hero)>¶<ending(hero, friend)>

astray :
  {hero} followed {guide:animal.a} into the woods. When {hero.he} looked up, {hero.he} did not know where {hero.he} was. <lost_alone> <way_home>
  "I know a shorter way," said {friend:child}. {hero} [followed|wasn't so sure]. After an hour they passed the same tree for the third time. <lost_together> <way_home>
  {hero} and {friend:child} were going {place:place+out.to}, and they talked so much that they [missed the turn|walked right past it]. <lost_together> <way_home>

lost_alone :
  {hero.He} called. Nobody answered, except {:animal.a} far away. <sad(hero)> Then there were footsteps. It was {friend:child}, who was just as lost as {hero}!
  "Well," {hero} told {hero.himself}, "{hero}, you have done it now." A voice laughed. It was {friend:child}, up in a tree. "I've been looking for the road," {friend.he} said.

lost_together :
  "We're lost," said {hero}. "[No, we aren't|Only a little]," said {friend}. <snack_break(hero, friend)>
  <sad(friend)> <comfort(hero, friend)>
  {hero} blamed {friend}, and {friend} blamed the map. Then they both blamed the {:animal} on the signpost, and that made them laugh.

way_home :
  They [listened|stood very still]. There was the sound of [a bell|a mill|running water], and they went toward it until they saw roofs. <glad(friend)>¶<ending(hero, friend)>
  <advice(hero)> They did as they were told, and before long they [saw a light|knew where they were]. <glad(hero)>¶<ending(hero, friend)>
  {hero} had dropped [crumbs|buttons|nutshells] all the way, out of habit. They followed them back, one by one. <thank(friend, hero)>¶<ending(hero, friend)>
  They climbed [a rock|a gate|a haystack], and there lay the village, closer than they had thought. "[Race you|I told you so]!" said {friend}.¶<ending(hero, friend)>

invention :
  {hero} wanted to build a machine for <purpose>. {friend:child} brought {friend.his} {thing:thing}, a [wheel|spring|crate] and a lot of string. <first_try> <second_try>
  "What is it?" asked {friend:child}. "It's a machine for <purpose>," said {hero}, who was all over oil. <first_try> <second_try>
  Behind the house {hero} and {friend:child} were building a [boat|flying machine|tree house] out of an old [bathtub|door|bed]. <first_try> <second_try>

purpose = [finding lost socks|catching rain|feeding the {:animal.pl}|waking people up|carrying {:snack}|scratching one's back]

first_try :
  They pulled the lever. It [shook|hummed|turned once], and then it fell into [two|seven] pieces. <sad(hero)>
  "[Ready|Stand clear]!" <say> {hero}. There was a puff of smoke, and {friend}'s hat was gone.
  It worked for as long as it takes to say "it works". <sad(friend)>
  The whole family came to watch. Nothing moved, except {guest:animal.a}, who sat down in the middle of it.

second_try :
  "We did it too fast," said {friend}. They started again, slowly, with [a drawing|better nails|more string]. That one held! <glad(hero)>¶<ending(hero, friend)>
  The {expert:worker} looked at it for a long time. "It's upside down," said the {expert}. They turned it over, and it worked. <glad(friend)>¶<ending(hero, friend)>
  It was no good at all for what they had wanted. But it made {an_animal:animal.a} very happy, who moved in that same day. "[Good enough|We meant it that way]," said {friend}.¶<ending(hero, friend)>
  On the [fifth|ninth] try it moved, on the tenth it [sang|whistled], and on the eleventh it did what it should. <thank(hero, friend)>¶<ending(hero, friend)>

rumor :
  "I'll tell you something," {hero} whispered to {friend:child}. "I saw {beast:monster.a} {place:place+out.at}." It was only a joke. <spreading> <owned_up>
  {hero} wanted to tell {friend:child} something exciting, but nothing had happened. So {hero.he} said, "There's {beast:monster.a} {place:place+out.at}!" <spreading> <owned_up>

spreading :
  {friend} told {other:child}, and {other} told the {crier:worker}. By [noon|supper] the {beast} had [two heads|teeth like rakes|eaten a cow].
  By the time it came back to {hero}, there were three of them, and the {crier:worker} had [locked the door|packed a suitcase|climbed onto the roof].
  Soon nobody dared to go {place.to}. {friend} [trembled|could not eat]. {hero} didn't know how to stop it.

owned_up :
  "There is no {beast}," said {hero} at last. "I made it up." It was very quiet. <sorry(hero, friend)> <forgive(friend, hero)>¶<ending(hero, friend)>
  So {hero} took {friend} by the hand and led {friend.him} {place.to}. All they found was {guest:animal.a}. "I made it up," said {hero}. <forgive(friend, hero)>¶<ending(hero, friend)>
  In the evening there really was a noise at {hero}'s window. "It's the {beast}!" {hero} [screamed|thought]. It was {friend}, who had guessed everything. "Now we're even," {friend.he} said.¶<moral(friend)>
