# The stories of the levels "normal" and "rich": how they open, and the shapes that they take.

story :
  ~<opening><errand>¶<plot><errand_end>
  ^<opening><errand>¶<detour><plot><errand_end><bedtime>

# Before the plot begins (rich only): a small thing happens on the way, or nothing does.
detour :
  ^6: [This is how it began.|So listen.|Here is what happened.|Now for the story.]¶
  ^2: [First, though, {hero} met|At the corner stood|Before anything else, there was] {passer:worker.a} who was looking for {passer.his} {:color} {:animal}. "[It went that way|I saw it by the gate|I haven't seen it]," said {hero}. The {passer} [tipped {passer.his} hat|sighed|hurried off] and was gone.¶
  ^2: [To begin with, {hero} helped|There was work to do first. {hero} had to help|But {hero} was not free yet, for {hero.he} had to help] {hero.his} {boss:kin} to {chore_a:chore} and to {chore_b:chore}. "You're a great help," said {hero.his} {boss}, and gave {hero.him} {pay:snack} for it. {hero} ate the {pay} [at once|slowly|on the wall].¶
  ^1: Something odd was going on that day. {odd:animal.A} was sitting on the roof, and {odder:animal.a} stood in front of the church, looking up at it. "[Good day|Are you two all right]?" asked {hero}. The {odd} said nothing, and neither did the {odder}.¶
  ^1: "Have you heard?" the {gossip:worker} called over the hedge. "Somebody saw {rumor:monster.a} {:place+out.at}!" {hero} [laughed|shivered|didn't believe a word]. The {gossip} [shrugged|winked|swore it was true]. {hero} decided not to think about the {rumor} and [almost managed it|soon forgot about it].¶
  ^1: {hero} had lately begun to collect {:stuff}. There were {:number} of them on {hero.his} shelf already, not counting the {:color} one, which {hero.he} had traded for {:snack}. {hero.His} {:kin} called it a [mess|museum|hobby]. {hero} called it science.¶
  ^1: [Now, it must be said that {hero} had not slept well.|{hero} was tired, and there was a reason for it.|The night had been a strange one.] {hero} had dreamed of {dreamt:monster.a} that ate {snack_a:snack} and {snack_b:snack} and complained about the [weather|spoons|service]. In the dream, {hero} had offered the {dreamt} some {:food+mass.word}. Awake, it seemed less sensible.¶

# The last thing in the evening (rich only): a story in the story, or good night.
bedtime :
  ^3: {!tale=none}
  ^2: ¶In the evening {hero.his} {teller:kin} told {hero.him} a story. "Once there was {old:monster.a} who lived {:place+out.at} and was afraid of {fear:animal.pl}. Every time it saw {fear.a}, it <fled>. One day a {:size} {fear} knocked at the door. 'Please,' said the {fear}, 'I'm afraid of everything, except you.' So the {old} made some {:food+mass.word}, and they [ate together|talked all night|were afraid together], and that was much better." "[Is that true|Another one|The end]?" asked {hero}. But {hero.his} {teller} had already [blown out the candle|closed the door|begun to snore].
  ^2: ¶Before {hero} fell asleep, {hero.he} [wrote it all down|went through it all again]: the {:color} sky in the {!tale=day}morning, the voices, the smell of {:snack}. "Dear diary," {hero.he} wrote, "today I learned <diary>."
  ^1: ¶Later, over some {:food+mass.word}, {hero.his} {listener:kin} asked, "And what was the best part?" {hero} had to think. "[The middle|The end|All of it]," {hero.he} said [with {hero.his} mouth full|at last|and yawned]. "And the worst?" "[That it's over|The puddle|My left shoe]," said {hero}. {hero.His} {listener} [laughed|nodded] and passed the {:snack}.

fled = hid in a [chest|sack|cave|cupboard]|ran all the way {:place+out.to}|pulled a {:color} [blanket|curtain|tablecloth] over its head

diary :
  ?lesson=truth that a secret weighs more than a [piano|horse|mountain]
  ?lesson=patience that you can't hurry [a seed|an oven|anything worth having]
  ?lesson=help that "help" is a [short|good|useful] word
  ?lesson=friend that friends are [odd|rare|better than {:snack}]


opening :
  3: Once upon a time there [was|lived] {hero:child.kind} named {hero}. <likes> <hour>
  2: {hero:child} was {hero.kind}. <likes> <hour>
  2: In a [village|little house|crooked old house|small town] [by the sea|near the forest|at the foot of a hill|between two rivers] lived {hero:child.kind} [called|named] {hero}. <likes> <hour>
  1: "[Wake up|Good morning|Look outside]!" someone called. It was the {:worker}, and {hero:child} [opened one eye|ran to the window|put on {hero.his} boots]. <likes> <hour>
  1: Everybody [in the village|on the street|at school] knew {hero:child}, {hero.kind} who loved {:pastime}. {hero.He} was <trait>. <hour>

# Something promised at the beginning is kept at the end.
errand :
  4: {!errand=no}
  1: {!errand=yes} {hero.His} {sender:kin} had given {hero.him} some {parcel:snack} to take to the {receiver:worker}[, and {hero} had promised not to forget|| by nightfall].
  1: {!errand=book} There was also [a library book to return|a letter to post|a hen to feed], and {hero} had promised to do it [soon|before supper|that day].

errand_end :
  ?errand=no 
  ?errand=yes  Oh, and the {parcel}? {hero} brought them to the {receiver} [after all|a little late|that same evening], as [promised|{hero.he} had said {hero.he} would].
  ?errand=book  And what {hero} had promised? [Done|{hero.He} did it|It was done], [a little late|just in time|of course].

likes :
  {hero.He} was <trait>, and {hero.he} [loved|liked] {pastime_a:pastime}[| and {pastime_b:pastime}].
  {hero} loved {:pastime} [more than anything|all day long|even in the rain]. [Everyone|{hero.His} {:kin}] said that {hero.he} was <trait>.
  {hero.He} was <trait>. [In summer|On Sundays|After school] {hero.he} spent hours {:pastime}.
  ^What did {hero} like? {:pastime.Word}, {:snack} and {:color} [socks|boots|hats]. What was {hero.he} like? {tr:trait.Word}, [mostly|as a rule|and proud of it].

trait = a little {tr:trait}|very {tr:trait}|[always|often] {tr:trait}

hour :
  <day_time>, something happened. <weather>
  <weather> It was {!time=morning}[early|nearly breakfast time|half past eight].
  <weather> It was {!time=afternoon}[after lunch|past three o'clock|late in the day].
  <day_time>, {hero} [had nothing to do|could not sit still|went for a walk|had a plan]. <weather>

plot :
  3: {!lesson=help}<lost>
  3: {!lesson=truth}<broken>
  3: {!lesson=friend}<borrowed>
  3: {!lesson=help}<animal>
  3: ?weather=sun/wind/rain {!lesson=friend}<rained_out>
  3: {!lesson=help}<night>
  3: {!lesson=patience}<baking>
  3: {!lesson=friend}<contest>
  3: ?weather=sun/wind/rain/fog {!lesson=patience}<garden>
  3: {!lesson=friend}<newcomer>
  3: {!lesson=help}<map>
  3: {!lesson=help}<stuck>
  3: {!lesson=help}<show>
  3: {!lesson=truth}<secret>
  2: {!lesson=friend}<trade>
  2: {!lesson=friend}<quarrel>

lost :
  But where was {hero.his} <look> {thing:thing}? <owned> <lost_turn>
  {hero} could not find {hero.his} <look> {thing:thing} [anywhere|that day]. <owned> <lost_turn>
  [Just then|Suddenly|All at once] {hero} noticed that something was missing: {hero.his} <look> {thing:thing}! <owned> <lost_turn>
  {hero.His} pocket was empty. {hero.His} <look> {thing:thing} was gone! <owned> <lost_turn>

look = {:size} {:color}
a_look = {:size.a} {:color}

owned :
  {hero.His} {giver:kin} had given it to {hero.him}, and {hero} loved {thing.play} it.
  It had been a birthday present from {hero.his} {giver:kin}.
  {hero} had saved {hero.his} money for [weeks|a whole year] to buy it.
  {hero.He} and {hero.his} {giver:kin} had found it [long ago|last summer] {:place.at}.

lost_turn = <sad(hero)> <search> <lost_helper>

search :
  {hero.He} looked {spot_a:spot} and {spot_b:spot}, but [it was not there|found nothing but dust].
  {hero.He} turned the whole house upside down. [No luck|Nothing].
  "Think," {hero} told {hero.himself}. "Where did I have the {thing} last?" It must have been {:place.at}.

lost_helper :
  {friend:child} [heard|saw] {hero} and came over. <comfort(friend, hero)> So the two of them went to search {place:place+out.at}. <journey> <lost_found>
  Luckily, {friend:child} came by. "I'll help you look for the {thing}," {friend.he} said. "Let's begin {place:place+out.at}." <journey> <lost_found>
  {hero} asked {friend:child}, who [knew every corner of the village|was good at finding things]. "[Hmm|Let me think]," said {friend}. "You played {place:place+out.at} yesterday, didn't you?" They set off together. <journey> <lost_found>

lost_found :
  3: There, {:spot+out}, [lay|was] the {thing}! <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  2: {friend} saw something {:color} {:spot+out}. "Is that your {thing}?" It was! <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  2: {thief:animal.A} was [sitting|sleeping] there, and [under it lay|beside it was] the {thing}. {hero} gave the {thief} some {:snack}, and it [let go|trotted away|made room]. <glad(hero)> <thank(hero, friend)>¶<ending(hero, friend)>
  1: They looked until it was [dark|too late to look], but they never found the {thing}. <sad(hero)> The next day {friend} came with {:color.a} [parcel|box]. It wasn't the {thing}; it was something {friend} had made for {hero.him}. <glad(hero)>¶<ending(hero, friend)>
  2: "[Is this yours|Are you looking for this]?" asked {other:child}, who was standing there with the {thing}. {other.He} had found it {:spot+out} and kept it safe. <glad(hero)> <thank(hero, other)>¶<ending(hero, friend)>

journey :
  3: They walked [side by side|quickly|hand in hand].
  2: <obstacle(hero, friend)>
  1: <snack_break(hero, friend)>
  1: <advice(hero)>
  ^3: <obstacle(friend, hero)> <snack_break(friend, hero)>
  ^3: <advice(friend)> <obstacle(hero, friend)>

broken :
  {friend:child} had <a_look> {thing:thing+breaks}. {friend.He} let {hero} [hold|have] it [for a moment|while {friend.he} tied {friend.his} shoe]. <snap> <sad(friend)> <owning_up>
  {hero} and {friend:child} were playing {place:place.at}. {friend} had brought {friend.his} <look> {thing:thing+breaks}. "[Be careful|Don't drop it]," said {friend}. <snap> <sad(friend)> <owning_up>
  {friend:child} [loved|was proud of] {friend.his} <look> {thing:thing+breaks} and showed it to {hero}. {hero} wanted to try {thing.play} it. <snap> <sad(friend)> <owning_up>

snap :
  But {hero} [slipped|stumbled|sneezed], the {thing} fell to the ground, and the {thing.part} came off.
  It happened in a second: [crack|rip|snap] went the {thing.part}, and the {thing} was broken.
  Then [the wind blew|{:animal.a} ran past], {hero} let go, and the {thing} hit a stone. The {thing.part} was broken.

owning_up :
  3: <sorry(hero, friend)> <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  2: {hero} was [frightened|ashamed] and ran [home|away]. {hero.He} hid {:spot} and felt worse and worse. In the end {hero.he} went back to {friend}. <sorry(hero, friend)> <forgive(friend, hero)>¶<repair> <ending(hero, friend)>
  1: "It was the {:animal}," said {hero}. But that was [a lie|not true], and {hero.he} could not [eat|sleep|smile] that night. The next day {hero.he} told {friend} the truth. <forgive(friend, hero)>¶<repair> <ending(hero, friend)>

repair :
  Together they took the {thing} to the {fixer:worker}. "I need [a drop of|a bit of|some] {thing.fix}," said the {fixer}, and [in no time|after an hour] the {thing.part} was back where it belonged. <glad(friend)>
  {hero} fetched {thing.fix} and [set to work|tried to mend it]. The first time the {thing.part} fell off again. The second time it held! <glad(friend)>
  {hero.His} {fixer_kin:kin} knew what to do. With {thing.fix} and a steady hand {fixer_kin.he} fixed the {thing.part}. "[As good as new|Good as ever|There]," said {hero}. <glad(friend)>
  The {thing} could not be mended. So {hero} gave {friend} {hero.his} own {gift:thing}. "[It's yours now|I want you to have it]," {hero.he} said. <glad(friend)>

borrowed :
  "May I borrow your {thing:thing}?" {hero} asked {friend:child}. It was {:color} and very {:size}. <lending>
  {friend:child} had <a_look> {thing:thing}, and {hero} wished for nothing more than [to hold|to borrow] it. At last {hero.he} asked. <lending>
  {hero} wanted to try {friend:child}'s <look> {thing:thing}. "Please lend me your {thing}," {hero.he} begged. "Just for one day!" <lending>

lending :
  "[Of course|Yes]," said {friend}, "but bring it back [tomorrow|before Sunday|when you're done]." {hero} promised. <with_it> <giving_back>
  {friend} [hesitated|thought about it]. "[All right|Very well], if you take good care of the {thing}." {hero} [nodded|gave {hero.his} word]. <with_it> <giving_back>
  "No," said {friend}. {friend.He} held the {thing} tight. <sad(hero)> Then {friend} [felt sorry|changed {friend.his} mind]. "Here," {friend.he} said, "but only for today." <with_it> <giving_back>

with_it :
  {hero} took the {thing} [everywhere|home and showed it to {hero.his} {:kin}]. {hero.He} had a wonderful time {thing.play} it {place:place.at}.
  All day {hero} did nothing but think about {thing.play} it. {other:child} came to see the {thing}, too.
  What fun it was! {hero} [forgot lunch|forgot the time|stayed out until dark] {place:place.at}.

giving_back :
  3: But when it was time to give the {thing} back, {hero} could not find it. <sad(hero)> {hero.He} searched {:spot}. There it was! {hero} ran straight to {friend}. <returned>
  2: In the evening {hero} [cleaned|polished|brushed] the {thing} and took it back to {friend}. <returned>
  2: "I could keep it," thought {hero}. "Nobody would know." But {hero} would know. {hero.He} got up and took the {thing} to {friend}. <returned>
  1: On the way back {hero} [fell|slipped], and the {thing} landed in a puddle. {hero} dried it with {hero.his} own [shirt|scarf]. "I'm sorry," {hero.he} told {friend}. "It got wet." <returned>

returned :
  <thank(hero, friend)>¶<ending(hero, friend)>
  "You brought it back!" said {friend}. "[I knew you would|You can borrow it again|Now let's play together]."¶<ending(hero, friend)>
  {friend} was so pleased that {friend.he} [let {hero} keep the {thing}|asked {hero} to stay for supper|showed {hero} all {friend.his} treasures].¶<ending(hero, friend)>

animal :
  {place:place+out.At}, {hero} heard a [tiny|sad|soft] cry. It was a {pet:animal}, and it <pet_trouble> <pet_help>
  {hero} was on {hero.his} way [home|to school] when {hero.he} saw {pet:animal.a} {:spot+out}. It <pet_trouble> <pet_help>
  There was {pet:animal.a} {:spot}! {hero} had never seen it before. It <pet_trouble> <pet_help>

pet_trouble = had hurt its leg.|was shaking with cold.|was all alone and hungry.|could not get out of a hole.|had lost its mother.|was caught in some string.|^had a thorn in its foot.|^was too tired to move.|^had eaten something bad and looked rather green.

pet_help :
  "Don't be afraid, little {pet}," <say> {hero}. {hero.He} [knelt down|held out {hero.his} hand|kept very still]. <pet_trust> <pet_next>
  {hero} ran to get {friend:child}. "Come quickly, there's a {pet} in trouble!" The two of them [hurried|ran] back. <pet_trust> <pet_next>
  {hero} did not know what to do, so {hero.he} went to the {vet:worker}. "[Keep it warm|Give it water|Be gentle]," said the {vet}. <pet_trust> <pet_next>

pet_trust :
  The {pet} was [frightened|shy] at first, but when {hero} offered it some {:snack}, it came [closer|nearer, step by step].
  {hero} wrapped the {pet} in {hero.his} {:color} [coat|scarf|blanket]. It [stopped trembling|closed its eyes].
  ^The {pet} looked at {hero}, and {hero} looked at the {pet}. Then it made up its mind and [licked|sniffed|nudged] {hero.his} sleeve.

pet_next :
  3: For [three days|a week] {hero} looked after it [in {hero.his} room|in the shed]. Each day the {pet} was a little stronger. <pet_end>
  2: {hero} asked {hero.his} {host:kin}, "May we keep it?" "Only until it's well," said {hero.his} {host}. <pet_end>
  2: "Somebody must be missing you," said {hero}. {hero.He} asked {owner:child}, and {owner} asked {other:child}. It was {other}'s {pet}! <glad(other)> <thank(other, hero)>¶<ending(hero, other)>

pet_end :
  Then the day came to say goodbye. {hero} carried the {pet} back to where {hero.he} had found it. It looked around once and was gone. <sad(hero)> But {hero.he} knew that it was right.¶<home(hero)>
  One {:color} morning the {pet}'s mother stood at the door. Off they went, side by side. <glad(hero)>¶<home(hero)>
  The {pet} did not want to leave. "Then stay," said {hero}, and so it did. [It lives there still|They were never apart again].¶<sky_end>

rained_out :
  {hero} and {friend:child} wanted to have a picnic {place:place+out.at}. They packed {snack_a:snack}, {snack_b:snack} and {:color.a} blanket. <clouds> <plan_b>
  It was the day of the big trip: {hero}, {friend:child} and a basket full of {:snack} were going {place:place+out.to}. <clouds> <plan_b>
  For weeks, {hero} and {friend:child} had been looking forward to a day {place:place+out.at}. <clouds> <plan_b>

clouds :
  But [as soon as they left|before they got there|in the middle of it all] a [thunderstorm|heavy shower|cold drizzle] began. <sad(hero)>
  Then {:color} clouds came up, and [drip, drop|before long] it was pouring. <sad(friend)>
  But a bridge was closed, and the {:worker} sent them home. <sad(hero)>

plan_b :
  "[Wait|I know]!" <say> {friend}. "We can have it [indoors|under the table|in the attic|in the hay]!" They [spread out the blanket|built a tent out of sheets]. <plan_fun>
  {hero.His} {host:kin} saw their long faces. "[Who needs sunshine|Come inside]," said {hero.his} {host}. "We'll make [a fort|a circus|an ocean|a jungle] out of [chairs|boxes|pillows]." <plan_fun>
  {hero} looked [left|around], and there was an old {:color} [barn|boat|bus|shed] with a dry roof. In they went. <plan_fun>

plan_fun :
  They played [pirates|castle|shop|hospital|zoo] and [told riddles|sang songs|made shadow animals]. {guest:animal.A} came in to get dry, and they gave it some {:snack}. <glad(friend)>¶<ending(hero, friend)>
  {friend} had brought {friend.his} {thing:thing}, and they took turns {thing.play} it. Nobody [looked at the clock|thought of going out]. <glad(hero)>¶<ending(hero, friend)>
  ^They held a feast. {hero} was [the king|the queen|the cook], {friend} was [the dragon|the guest of honor|the band], and {guest:animal.a} that wandered in was [the audience|the chief of police]. <glad(friend)>¶<ending(hero, friend)>

night :
  {hero} was staying with {friend:child} that night. The lamp was out, and then came {sound:noise.a}. <fear> <brave_look>
  That night {hero} could not sleep. There was {sound:noise.a} {:spot}! <fear> {friend:child}, who was staying the night, sat up as well. <brave_look>
  "What was that?" whispered {friend:child}. {hero} had heard it, too: {sound:noise.a}, somewhere in the dark. <fear> <brave_look>

fear :
  Could it be {beast:monster.a}? {hero} pulled the blanket over {hero.his} head.
  {hero} thought of {beast:monster.a} with {:color} eyes. {hero.His} heart [pounded|thumped|beat fast].
  "[Maybe it's|It must be|I bet it's] {beast:monster.a}," said {hero} in a very small voice.

brave_look :
  "We'll look together," said {friend}. They took a [lantern|candle|flashlight] and [crept|tiptoed] toward the {sound}. <truth>
  {hero} took a deep breath. "I won't be scared by a {sound}," {hero.he} said. Step by step, {hero.he} and {friend} [went down the stairs|went closer]. <truth>
  There it was again, the {sound}! {friend} [grabbed a broom|held {friend.his} breath], {hero} [opened the door|lit a candle], and they looked. <truth>

truth :
  It was no {beast}. It was only {guest:animal.a} that had [come in from the cold|got stuck|knocked over a pot]. {hero} and {friend} [laughed until their sides hurt|began to giggle]. They gave the {guest} some {:snack}. <glad(hero)>¶<moral(friend)>
  And what did they find? {:color.A} [branch|shutter|gate] [swinging|tapping|creaking] in the wind! "Some {beast}!" said {friend}, and they both [laughed|went back to bed]. <moral(friend)>
  There stood {hero.his} {host:kin} with [a plate of {:snack}|a broken cup|one sock]. "Did I wake you?" asked {hero.his} {host}. They all had warm milk, and nobody thought about the {beast} any more.¶<moral(friend)>

baking :
  It was {friend:child}'s birthday, and {hero} wanted to make {dish:food.a}. <cooking>
  {friend:child} was ill in bed. "I'll make {friend.him} {dish:food.a}," thought {hero}. <cooking>
  "Today we'll cook {dish:food.a}," {hero} told {friend:child}. "[You stir|You read the recipe|I'll be the chef]." <cooking>

cooking :
  {hero} [mixed|measured] the {ingredient_a:ingredient} and the {ingredient_b:ingredient}. <kitchen_trouble> <tasting>
  First came the {ingredient_a:ingredient}, next some {ingredient_b:ingredient}, and a spoonful of {ingredient_c:ingredient}. <kitchen_trouble> <tasting>
  {hero.His} {host:kin} showed {hero.him} where to find the {ingredient_a:ingredient} and the {ingredient_b:ingredient}. <kitchen_trouble> <tasting>

kitchen_trouble :
  But they had run out of {missing:ingredient}! {hero} [ran|hurried] to {neighbor:child}'s house. {neighbor} [gave|lent] {hero} a [cup|bowl] of {missing}. <thank(hero, neighbor)>
  {hero} took salt for sugar, and it tasted [horrible|like the sea]. <sad(hero)> {hero.He} started all over again.
  Then {guest:animal.a} jumped up and [knocked the bowl over|ate half of it]. "Shoo!" <say> {hero}, and {hero.he} began again.
  It [smelled wonderful|rose and rose|turned golden], and {hero} [waited|watched it] without moving.
  ^{hero} forgot the time, and smoke came out of the oven. The top was as black as a boot. "We'll scrape it off," {hero.he} said.

tasting :
  When the {dish} was ready, {hero} [brought|carried] it to {friend}. "It's [delicious|the best I've ever had]!" said {friend}. <glad(hero)>¶<ending(hero, friend)>
  {friend} took one bite of the {dish} and [said nothing|closed {friend.his} eyes]. Then {friend.he} took another, and another. <glad(friend)>¶<ending(hero, friend)>
  The {dish} was [crooked|a little burned|flat], but {friend} ate every crumb. <thank(friend, hero)>¶<ending(hero, friend)>

contest :
  There was going to be a <race_kind> {place:place+out.at}, and the prize was <a_look> {thing:thing}. {hero} wanted to win. So did {friend:child}. <rivals> <race>
  "I'm faster than you," said {friend:child}. "No, I am," said {hero}. So they agreed to race {place:place+out.to} and back. The winner would get {friend}'s <look> {thing:thing}. <rivals> <race>
  Every year the village held a race, and this year the prize was <a_look> {thing:thing}. {hero} practiced [before breakfast|every day]. {friend:child} practiced, too. <rivals> <race>

race_kind :
  ?weather=snow [sledge race|snowball match|skating race]
  ?weather=sun/wind/rain/fog [race|sack race|relay race|three-legged race]

rivals :
  [Ready, steady, go|One, two, three]! Off they [ran|went].
  {starter:worker.A} [waved {:color.a} flag|blew a whistle|counted to three], and they were off.
  {hero} was in front at first, then {friend}, then {hero} again.

race :
  2: Halfway there {friend} fell and hurt {friend.his} knee. {hero} could have [won|run on], but {hero.he} [stopped|turned back]. <comfort(hero, friend)> They crossed the line together, last of all. <prize_shared>
  2: {hero} ran as fast as {hero.he} could, and {hero.he} won by a nose! <glad(hero)> But {friend} looked so sad that {hero} [went over to {friend.him}|lost {hero.his} smile]. <prize_shared>
  2: {friend} won. {hero} [swallowed hard|wanted to cry], but then {hero.he} shook {friend}'s hand. "[Well done|You were great], {friend}," {hero.he} said. <prize_shared>
  1: Neither of them won. {other:child} came from behind and passed them both! {hero} and {friend} [stared|looked at each other] and burst out laughing. <ending(hero, friend)>

prize_shared :
  "Let's share the {thing}," said {friend}. "You have it on [Mondays|odd days], I'll have it on [Fridays|even days]."¶<ending(hero, friend)>
  The {judge:worker} gave the {thing} to both of them, because [they had been fair|kindness counts, too].¶<ending(hero, friend)>
  As for the {thing}, they gave it to {other:child}, who [had no toys|had lost a tooth|was too small to run].¶<ending(hero, friend)>

garden :
  {hero.His} {giver:kin} gave {hero.him} a [tiny|strange|round] seed. "[What will it be|What is it]?" asked {hero}. "Wait and see," said {hero.his} {giver}. <planting>
  {hero} and {friend:child} each planted a seed {:spot+out}. "Mine will be [taller|prettier]," said {friend}. <planting>
  {hero} found a bag of seeds {:spot}. {hero.He} dug a little bed and put them in, one by one. <planting>

planting :
  {hero} watered it [each morning|every evening] and [sang to it|pulled out the weeds]. A week went by. Nothing happened. <sad(hero)> <garden_trouble> <harvest>
  Day after day {hero} [looked at the bare earth|ran out to look]. "[Grow|Hurry up]!" {hero.he} told the ground. <garden_trouble> <harvest>

garden_trouble :
  Then {guest:animal.a} dug [everything up|a big hole]! {hero} put it all back and built a small fence.
  "You're drowning it," said the {expert:worker}. "A little water, a lot of patience." {hero} [listened|nodded].
  It got very hot, and the earth [cracked|turned to dust]. {hero} carried water all the way from the [river|pump|well].

harvest :
  And one morning there it was: a [fine|fat|perfect|tiny|splendid] {crop:plant}! <glad(hero)> {hero} showed it to {pal:child}. "You grew the {crop} all by yourself," said {pal}. [They picked it together|They gave it to {hero.his} {:kin}].¶<ending(hero, pal)>
  At last a green tip came up, and [soon|a month later] there stood the finest {crop:plant} in the village. {hero} gave it to {pal:child}, who [was ill|had never had one|lived next door]. <thank(pal, hero)>¶<ending(hero, pal)>

newcomer :
  A new [family|neighbor] had moved in [next door|down the road], and there was a child, too: {friend:child}. <standoff> <ice>
  There was somebody new at school. The teacher said, "This is {friend:child}. [Be nice|Make room]." <standoff> <ice>
  {hero} saw {friend:child} for the first time that day. {friend.He} was {friend.kind} from far away and [sat alone|knew nobody]. <standoff> <ice>

standoff :
  {friend} [didn't say a word|only looked at the floor]. {hero} didn't know what to say either.
  "{friend.He} [talks strangely|looks grumpy|has such odd shoes]," whispered {other:child}. {hero} [said nothing|felt uneasy].
  ^{hero} waved. {friend} did not wave back. {hero} waved with both arms. {friend} [shut the door|went red].

ice :
  Then {hero} saw that {friend} had <a_look> {thing:thing}. "[I've got one, too|What a fine {thing}|Can you show me how it works]?" asked {hero}. For the first time {friend} smiled. <together>
  At lunch {friend} had nothing to eat. {hero} broke {hero.his} {meal:snack} in two. "Do you like {meal}?" [It turned out {friend.he} did|"I love {meal}," said {friend}]. <together>
  {guest:animal.A} [ran|limped] between them, and both bent down to stroke it. They bumped heads. "[Ouch|Sorry]!" they said at the same time, and laughed. <together>

together :
  {friend} told {hero} about the place {friend.he} came from, where there were [{:color} houses|mountains|two {:animal.pl} in every garden]. {hero} showed {friend} the way {place:place+out.to}. <journey> <glad(friend)>¶<ending(hero, friend)>
  By the end of the day {friend} knew {hero}'s [house|secret den|grandmother] and {hero} knew six words of {friend}'s language. <glad(hero)>¶<ending(hero, friend)>

map :
  {hero} found an old map [in a book|in a bottle|under the floor]. {:color.A} cross marked a place {place:place+out.at}. {hero.He} [ran to fetch|told] {friend:child}. <expedition>
  "Look at this," said {friend:child}. {friend.He} had a piece of paper with a map on it. The path went [past|around] the [well|mill|rock] and ended {place:place+out.at}. {hero} [fetched a spade|put on {hero.his} hat]. <expedition>
  There was a note on {hero}'s pillow: "Go {place:place+out.to} and look {:spot+out}." {hero.He} showed it to {friend:child}. <expedition>

expedition :
  <obstacle(hero, friend)> <clue> <chest>
  <advice(hero)> <clue> <chest>
  ^<obstacle(friend, hero)> <snack_break(hero, friend)> <clue> <chest>

clue :
  When they got there, they found [a second note|an arrow made of stones|footprints]. It led them to something {:spot+out}.
  {friend} counted [ten|twenty|forty] steps. {hero} dug until {hero.his} arms ached.
  "Nothing here," said {friend}. "Turn the map around," said {hero}. They had been [holding it upside down|reading it backward]!

chest :
  There was <a_look> box, and in it lay {prize:treasure.a}! <glad(friend)> <chest_end>
  What they found was {prize:treasure.a}, wrapped in {:color} cloth. <glad(hero)> <chest_end>
  At the end of the trail sat {hero}'s {host:kin} with [a cake|a basket of {:snack}] and {prize:treasure.a}. "[Surprise|Happy birthday|It took you long enough]!" <chest_end>

chest_end :
  They decided to [keep the {prize} in a secret place|take turns with the {prize}|give the {prize} to the museum].¶<ending(hero, friend)>
  The {prize} belonged to the old {owner_job:worker}, who had hidden it as a child and forgotten where. {owner_job.He} [wept for joy|let them keep it].¶<ending(hero, friend)>

stuck :
  {friend:child} was [crying|standing] under a tall tree. {friend.His} <look> {thing:thing} was stuck in the branches. <rescue>
  [Whoosh|Oops]! {hero} had thrown {friend:child}'s <look> {thing:thing} too high, and now it hung in a tree. <rescue>
  {guest:animal.A} sat on the roof and would not come down, and it had {friend:child}'s <look> {thing:thing}. <rescue>

rescue :
  {hero} [tried a long stick|threw a shoe]. It was no use, and now [it was stuck as well|two things were stuck]. <rescue_more>
  {hero} [jumped|stretched|shook the trunk|made a pile of boxes and stepped on it]. It was no use[|, and {hero.he} only got dirty]. <rescue_more>
  "[Climb up|Shake it|Get a ladder]!" <say> {friend}. {hero} tried, but {hero.he} [was too short|got dizzy|tore {hero.his} sleeve]. <rescue_more>

rescue_more :
  {other:child} came along with [a rope|a net|a ladder]. "[Stand back|Let me try]," said {other}. It did not work at first. Then all three pulled together, and down came the {thing}. <glad(friend)> <thank(friend, other)>¶<ending(hero, friend)>
  "I have an idea," said {hero}. {hero.He} stood on {friend}'s shoulders and reached [up|out]. Closer, closer... got it! {hero.He} [handed|passed] the {thing} to {friend}. <glad(friend)> <thank(friend, hero)>¶<ending(hero, friend)>
  They sat down and waited. After [an hour|a while] there came [a gust of wind|a big crow], and the {thing} dropped right into {friend}'s lap. <glad(friend)> "Sometimes waiting is the best plan," said {hero}.¶<ending(hero, friend)>

show :
  {hero} was going to perform {trick:act.a} in front of [the whole school|the whole village]. {hero.He} [felt sick|had butterflies in {hero.his} stomach]. <rehearsal> <stage>
  "You should do your {trick:act} at the festival," said {hero.his} {giver:kin}. {hero} [wanted to hide|said no, then yes, then no]. <rehearsal> <stage>
  There was a sign on the school door: Talent Show! {hero} signed up with {trick:act.a}. The day before, {hero.he} [wished {hero.he} hadn't|couldn't eat a thing]. <rehearsal> <stage>

rehearsal :
  {friend:child} helped {hero.him} to practice {place:place.at}. "[Again|Once more]," {friend.he} said, [ten times|until it was dark].
  {hero} practiced the {trick} for {friend:child} and {guest:animal.a}. The {guest} [yawned|fell asleep], but {friend} clapped.
  <snack_break_alone> {friend:child} told {hero.him}, "Just look at me the whole time."

snack_break_alone = {hero} ate a whole bag of {:snack} to calm {hero.himself}.|{hero} walked up and down {place:place.at}.

stage :
  The big moment came. {hero} stood there and forgot everything. It was silent. Then {friend} [smiled|winked|began to hum] from the front row, and it all came back. <applause>
  In the middle of the {trick} {hero} [dropped {hero.his} hat|tripped over {hero.his} own feet]. People laughed. So {hero} [bowed|did it again, on purpose], and they laughed even more. <applause>
  "I can't do it alone," said {hero}. So {friend} came up, too, and they did the {trick} together. <applause>

applause :
  Everybody [clapped|cheered|stamped their feet], and the {judge:worker} shouted, "[Bravo|More]!" <glad(hero)>¶<ending(hero, friend)>
  {hero} won [second prize|{:color.a} ribbon|{prize:treasure.a}]. <thank(hero, friend)>¶<ending(hero, friend)>

secret :
  {hero} had done something [bad|foolish]. {hero.He} had [broken|lost|spilled paint on] {hero.his} {victim:kin}'s {thing:thing}, and nobody knew. <guilt> <confess>
  "Who has taken my {thing:thing}?" asked {hero.his} {victim:kin}. {hero} had, [and dropped it in the river|but {hero.he} didn't say so]. <guilt> <confess>

guilt :
  {hero.He} hid {:spot} and [felt sick|counted {hero.his} fingers].
  {hero.His} {victim} [blamed|scolded] the {guest:animal}, and that made it worse. <sad(hero)>
  At supper {hero.he} could not swallow a single bite of {dish:food}. <sad(hero)>

confess :
  {hero.He} told {friend:child} about it. "You must tell the truth," said {friend}. "I'll come with you." <confession>
  In the night {hero} [got up|lay awake]. In the morning {hero.he} [went to|stood before] {hero.his} {victim}. <confession>
  {friend:child} had seen it all. "I won't tell," said {friend}. "But you should." {friend.He} was right. <confession>

confession :
  "It was me," {hero} said. "I'm sorry about the {thing}." {hero.His} {victim} was quiet. Then {victim.he} said, "[Thank you for telling me|I'm glad you told me|That took courage]." They [bought a new {thing}|fixed the {thing}|looked for the {thing}] together. <glad(hero)>¶<home(hero)>
  "I did it," said {hero}, and [the whole story came out|{hero.he} began to sob]. "I knew," said {hero.his} {victim}. "I was only waiting." {hero} worked {place:place.at} for a week to pay for the {thing}. <glad(hero)>¶<sky_end>

trade :
  {hero} had <a_look> {mine:thing}, and {friend:child} had <a_look> {thing:thing}. "Let's trade," said {friend}. {hero} [agreed|couldn't say no]. <regret>
  "I'll give you my {thing:thing} for your {mine:thing}," said {friend:child}. It sounded like a good deal, and {hero} [shook hands on it|nodded]. <regret>

regret :
  For an hour {hero} enjoyed {thing.play} the {thing}. Then {hero.he} [missed|thought of] the {mine}. <sad(hero)> <trade_back>
  But {hero}'s {asker:kin} asked, "Where is the {mine} I gave you?" {hero} [blushed|looked away]. <sad(hero)> <trade_back>
  {hero} soon [grew tired of|didn't know what to do with] the {thing}. <sad(hero)> <trade_back>

trade_back :
  {hero.He} went to {friend}. "Can I have my {mine} back?" "[No|A deal is a deal]," said {friend}. <comfort_other> In the end they shared the {mine} and the {thing}.¶<ending(hero, friend)>
  On the way to {friend}'s house {hero} met {friend}, who was on the way to {hero}'s! "I miss my {thing}," said {friend}. They laughed and traded back.¶<ending(hero, friend)>

comfort_other = But when {friend} saw {hero}'s face, {friend.he} [was sorry|sighed].|So {hero} offered {friend} some {:snack} as well.|But {other:child} said, "[That isn't fair|Friends don't do that], {friend}."

quarrel :
  {hero} and {friend:child} were building a [tower|den|castle|bridge|boat] {place:place.at}. {hero} wanted it {:color}. {friend} wanted it {:color}. <fight>
  {hero} and {friend:child} had only one {thing:thing+round} between them. "It's my turn," said {hero}. "No, mine," said {friend}. <fight>
  "You cheated!" <say> {friend:child}. "I did not," said {hero}. They had been playing [cards|marbles|hide-and-seek] {place:place.at}. <fight>

fight :
  They [shouted|argued] until {friend} [stamped {friend.his} foot|turned around] and went home. <lonely>
  "I'll never play with you again," said {friend}. "Good," said {hero}. But it wasn't good. <lonely>

lonely :
  Playing alone was no fun. {hero} [tried {:pastime}|kicked a stone|talked to {:animal.a}]. <sad(hero)> <peace>
  "Where is {friend}?" asked {hero.his} {host:kin}. {hero} told {host.him} about the quarrel. "Someone has to go first," said {hero.his} {host}. <peace>
  A day passed, and then another. {hero} looked out of the window every [hour|five minutes]. <sad(hero)> <peace>

peace :
  Finally {hero} went to {friend}'s door and knocked. <sorry(hero, friend)> <forgive(friend, hero)>¶<ending(hero, friend)>
  Then there was a knock. It was {friend}. <sorry(friend, hero)> <forgive(hero, friend)>¶<ending(hero, friend)>
  They met by chance {meeting:place+out.at}. Neither spoke. Then both said "sorry" at the very same moment. <glad(friend)>¶<ending(hero, friend)>
