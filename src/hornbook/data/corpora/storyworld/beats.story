# Sentences that many plots share. A rule with (x) or (x, y) is written for any two children.

say = said|cried|called|whispered|^shouted|^murmured|^exclaimed|^announced

day_time :
  [One|Early one|On a quite ordinary] {!time=morning}morning
  [One|Late one|On a long, lazy] {!time=afternoon}afternoon
  [One|Early one|On an ordinary] {!time=evening}evening

weather :
  3: {!weather=sun}The sun [was shining|stood high in the sky|shone warm on the roofs|peeped over the hills|was out again after a gray week] and <sunny>.
  2: {!weather=wind}A [strong|cold|cheerful|restless|playful] wind <windy>.
  2: {!weather=rain}[It had rained|There had been rain] [all night|since breakfast|for two days], and <rainy>.
  1: {!weather=snow}Snow [covered|lay soft and deep on] [every roof|the whole village|all the fields], and <snowy>.
  ^1: {!weather=fog}A thick fog [hid|had swallowed] the [chimneys|lanes|fields], and <foggy>.

sunny = the birds were singing|bees hummed in the flowers|there was not a cloud to be seen|everything smelled of warm grass|^butterflies drifted over the hedges|^the puddles from yesterday had dried|^the cat next door was asleep on the wall|the whole street smelled of fresh bread|every window was open|shadows were short
windy = shook the trees|blew leaves down the road|rattled the windows|^chased the clouds across the sky|^whistled in the chimneys|^turned every umbrella inside out|^tugged at the washing on the lines|sent hats rolling down the hill|made the gates bang|hummed in the wires
rainy = the paths were full of puddles|water dripped from every leaf|the gutters were still gurgling|^the ducks were delighted|^worms had come out to look at the world|^the whole street shone like glass|everybody wore boots|there was mud up to the ankles|clouds hung low over the roofs
snowy = the air was very still|icicles hung from the gutters|every step made a crunching sound|^tiny tracks ran from bush to bush|^the pond had frozen hard|^smoke rose straight up from the chimneys|every branch wore a white cap|breath hung in the air like smoke|boots left deep holes
foggy = even the church bell sounded far away|the street lamps looked like small moons|nobody could see as far as the gate

sad(x) :
  {x} [felt|was] [very|so|rather] [sad|unhappy|upset|disappointed].
  How [miserable|troubled|gloomy|unhappy] {x} was!
  Tears [came to|filled|stung] {x}'s eyes.
  {x} sat down and [cried|sighed|hid {x.his} face|said nothing at all].
  "Oh no!" <say> {x}. "[What shall I do|What now|How could this happen]?"
  {x}'s [heart sank|lip began to tremble|shoulders drooped].
  ^A lump [rose|grew] in {x}'s throat.
  ^For a while {x} only [stared at the ground|kicked at the dust|swallowed and blinked].
  For {x} the whole day had turned gray.
  {x} [wished that it were yesterday|wanted to be somewhere else|could think of nothing to say].
  "It's not fair," [said|muttered] {x}.
  {x} [sniffed|frowned|turned away] and bit {x.his} lip.
  There was a hole in {x}'s day, just about the size of {x.his} [hand|heart].
  Nobody saw it, but {x} wiped {x.his} eyes with {x.his} sleeve.
  ^{x} counted to ten, which usually helped. This time it didn't.
  ^{x} [drew|made] circles in the dust with one foot.

glad(x) :
  {x} [was|felt] [very|so] [happy|glad|proud|pleased].
  {x} [smiled|laughed|grinned|beamed] from ear to ear.
  {x} [jumped|danced|clapped|skipped] for joy.
  "[Hooray|Wonderful|How lovely]!" <say> {x}.
  {x}'s eyes [shone|sparkled|were bright].
  ^{x} felt as light as [a feather|thistledown|a soap bubble].
  ^A warm feeling [spread|crept] through {x}, right down to {x.his} toes.
  "I knew it!" <say> {x}.
  {x} could [hardly stand still|hardly believe it|not stop smiling].
  {x} laughed so hard that {x.he} [got hiccups|had to sit down|nearly fell over].
  It was as if somebody had lit a lamp inside {x}.
  {x} threw {x.his} [hat|cap|arms] into the air.
  And {x}? {x} [hummed a tune|turned a somersault|beamed like the sun].
  ^{x} had not known that one could be so happy on a [Tuesday|Thursday|Monday].
  ^{x} wanted to tell everyone at once, and began with the nearest [wall|tree|bench].

comfort(x, y) :
  "Don't [cry|worry|be sad], {y}," <say> {x}. "[I'll help you|We'll think of something|It isn't so bad]."
  {x} [sat down beside|put an arm around|patted] {y} [and waited|without a word|for a while].
  {x} [gave|lent|handed] {y} a [handkerchief|clean tissue|big hug].
  "I know how you feel," {x} said. "[Once I lost my tooth|Last week I tore my coat|I had a day like that, too]."
  "Let's [take a deep breath|count to ten|start at the beginning]," said {x}.
  ^{x} told {y} the silliest joke {x.he} knew, and {y} had to [smile|giggle] in spite of everything.
  "Look at me, {y}," said {x}. "[It'll be fine|We've had worse|Nobody's cross with you]."
  "Would some {:snack} help?" asked {x}. {y} nodded at once.
  {x} made a face, and then another one, until {y} had to laugh.
  "One thing after the other," said {x}, and {y} nodded.
  {x} didn't say anything clever. {x.He} just stayed, and that helped {y} more.
  ^"When {:animal.a} falls down," said {x}, "it gets up again and looks the other way. Try it, {y}."

thank(x, y) :
  "Thank you [so much|very much|for your help], {y}!" <say> {x}.
  {x} [hugged|thanked] {y} [twice|with all {x.his} heart|again and again].
  "You're [a true friend|the best|so kind], {y}," said {x}.
  "I couldn't have done it without you," {x} told {y}.
  {x} gave {y} [half of {x.his} {:snack}|a drawing in [three|seven] colors|{:color.a} ribbon] to say thank you.
  ^"If you ever need me," {x} said to {y}, "I'll come [running|at once|in the middle of the night]."
  "How can I ever thank you, {y}?" asked {x}. "You just did," said {y}.
  "I won't forget this, {y}," said {x}, and {x.he} never did.
  {x} shook {y}'s hand for so long that {y.he} had to ask for it back.
  "That was kind of you, {y}," said {x}. {y} went red. "It was nothing," {y.he} said.
  {x} made a deep bow. {y} made an even deeper one.

sorry(x, y) :
  "I'm [sorry|so sorry|terribly sorry], {y}," <say> {x}. "[I didn't mean to|It was my fault|Please forgive me]."
  {x} looked at {x.his} shoes. "I [was careless|should have asked|wasn't thinking]," {x.he} said. "I'm sorry, {y}."
  It took {x} a long time to say it, but at last {x.he} [whispered|said], "Please don't be angry, {y}."
  ^{x.His} cheeks [burned|turned red]. "I've been foolish, {y}," {x.he} said. "Can we be friends again?"
  "{y}," said {x}, and stopped, and began again. "{y}, I did it. I'm sorry."
  {x} had practiced what to say, but now only one word came out: "Sorry."
  "If I could turn back the clock, I would, {y}," <say> {x}.
  "You may be as angry as you like, {y}," said {x}. "I would be, too."

forgive(x, y) :
  "That's all right," <say> {x}. "[Everybody makes mistakes|It can be mended|I'm not cross], {y}."
  {x} thought about it. Then {x.he} [smiled|nodded] and [held out|took] {y}'s hand.
  "Well," said {x}, "you told me the truth, {y}, and that's [what matters|the hard part|brave]."
  ^{x} was [cross|silent] for as long as it takes to [count to twenty|eat a plum|tie a shoe]. Then {x.he} forgave {y}.
  "I was angry," said {x}, "but it's gone now. Come on, {y}."
  {x} looked at {y} for a while. "Next time, tell me at once," {x.he} said. "Then it's all right."
  "[Pooh|Never mind]," said {x}. "I've done worse things than that, {y}."
  {x} said nothing, but {x.he} moved over on the bench to make room for {y}.

snack_break(x, y) :
  They [stopped|sat down] to eat some {snack_a:snack}[| and {snack_b:snack}].
  {x} had brought {:snack} in {x.his} [bag|pocket|basket], and {y} [ate almost everything|was glad to share|had brought nothing but a big appetite].
  "I'm hungry," {y} said, so {x} shared {x.his} {:snack}.
  ^Halfway there, {y} found some {:snack-mass} in {y.his} pocket. They tasted only a little of [dust|soap|string].
  They shared the last of the {:snack-mass}, one for {x} and one for {y}, and argued about the crumbs.
  "Is it time to eat yet?" asked {y}. It was always time to eat, for {y}. {x} handed over the {:snack}.

obstacle(x, y) :
  On the way they came to a [stream|deep ditch|muddy field]. {x} [jumped|climbed|waded] across first and [helped|pulled] {y} over.
  Then they [took a wrong turn|lost the path]. "It's this way," said {y}, pointing at {:color.a} [signpost|gate|roof], and {y.he} was right.
  A [high fence|locked gate|stone wall] stood in the way, but {y} [found a gap|knew another path|gave {x} a leg up].
  A large [brown|black|spotted] dog [barked|growled] at them. {x} [stood quite still|spoke to it softly|gave it a biscuit], and soon it wagged its tail.
  ^They had to cross a wobbly bridge. "Don't look down," said {x}. {y} looked down, of course, and [squealed|held on tight|shut both eyes].
  ^A herd of [cows|sheep|geese] filled the whole lane. {x} and {y} [squeezed past|waited|counted them all] until the road was free again.
  ^{y} got [a stone|sand|a thorn] in {y.his} shoe, and {x} had to wait while {y.he} hopped about on one leg.
  There was a [goat|ram|goose] in the lane that let nobody pass. {x} [bowed to it|sang to it|offered it a shoelace], and it stepped aside. {y} couldn't believe it.
  The road split in two. "[Left|Right]," said {x}. "We'll toss for it," said {y}. The coin fell into a drain, and so they went straight on, across the field.
  {y} stepped into mud up to the knees. {x} pulled, and out came {y}, without {y.his} shoe. They had to go back in for that.
  An old signpost pointed at the sky. "Somebody has turned it," said {x}. {y} climbed up and looked. "[I see it|It's over there]!" {y.he} called.
  A small child was crying by the road. {x} and {y} took it home to its mother first, and then they went on.

advice(x) :
  An old {job:worker} was [sitting|resting|working] nearby. "Whoever looks slowly finds quickly," said the {job}. {x} [thought|wondered] about that.
  {job:worker.A} came by and asked what the matter was. {x} told {job.him} [everything|the whole story]. "[Try once more|Don't give up|Ask a friend]," said the {job}.
  {x} met {job:worker.a} on the road. The {job} listened and [scratched {job.his} chin|nodded]. "[I'd start again where it all began|Two heads are better than one|Sleep on it, then try again]," {job.he} said.
  ^"Have you asked the {:animal}?" said a passing {job:worker}. {x} thought that was a joke, but the {job} [was serious|didn't laugh|only winked and walked on].
  "Good day," said {job:worker.a} at the side of the road. "You look like somebody with a question." {x} asked it. The {job} [laughed|hummed] and said, "[You know the answer already|Look behind you|Begin with what you have]."
  A sign on a tree said: "Questions answered by the {job:worker}, free of charge." {x} knocked. "[Go on|Keep at it]," said a voice, and the window closed again.

home(x) :
  ?span=day&time=morning By noon {x} was home again, [hungry|tired|muddy] and [content|full of stories|humming].
  ?span=day&time=afternoon {x} was home in time for [supper|tea]. There was [warm|fresh] {:food+mass}.
  ?span=day&time=evening The [stars|first stars] were out when {x} [got|walked|skipped] home.
  {x.His} {kin:kin} was waiting at the door. "[What a day|Tell me everything|There you are]!" {kin.he} said, and {x} told {kin.him} the whole story.
  At home, {x} [washed|drew a picture of it all|put {x.his} shoes by the door] and [fell asleep at once|yawned|went to bed early].
  When {x} got home, {x.his} {kin:kin} looked {x.him} up and down and said only one word: "[Bath|Supper|Bed]."
  At home {x} told it all to {x.his} {kin:kin}, who had to sit down for the last part.
  The way home seemed [shorter than before|very short]. {x} hummed the whole time.

sky_end :
  ?span=day&weather=sun Outside, the sun [was still shining|went down behind the trees|made long shadows].
  ?span=day&weather=rain Outside, the rain had [stopped|started again], and nobody [cared|minded].
  ?span=day&weather=wind At last the wind [had dropped|was tired and still].
  ?span=day&weather=snow Outside, it had begun to snow [once more|again, in big soft flakes].
  ?span=day&weather=fog And the fog? It had [lifted|melted away], and no one had noticed.
  [Everything|The whole world] was [quiet|peaceful] now.

ending(x, y) :
  3: <moral(y)>
  2: <home(x)>
  <sky_end>
  <sky_end> <moral(y)>
  And from that day on, {x} and {y} [were the best of friends|met every week|shared all their secrets].
  {y} still [laughs|talks|thinks] about it, and so does {x}.
  ?span=day That night {x} dreamed of [{:color} clouds|a talking {:animal}|{snack_a:snack} and {snack_b:snack}|nothing at all].
  "[Same time tomorrow|Shall we do it all again|What shall we do next]?" asked {y}. {x} [was already yawning|only laughed|thought that was a splendid idea].
  "I'm hungry," said {x}. So was {y}. [And there was supper|They ran home to supper|Luckily there was still some {:snack}].
  They sat on a [wall|gate|fence], {x} and {y}, and swung their legs, and for once neither of them said anything.
  [When they are old|One day, when they are gray], {x} and {y} will tell it to their grandchildren, and nobody will believe a word.
  {y} had to go home. "[See you|Until tomorrow]!" {y.he} called. {x} waved until {y} was out of sight.
  {x} has a picture of that day on the wall. {y} drew it, and [the feet are too big|the sky is green|one of them has three arms].
  And if you go {:place+out.to}, you may [still see|meet] {x} and {y} there.
  ^"Do you think anyone will write it down?" asked {y}. "[Who would?|They'd get it wrong,]" said {x}. But somebody did.
  ^Ask {x} about it. But ask {y} as well, for {y.he} tells it [better|quite differently|with more dragons].

# What the hero was like in the first lines, and what the plot was about, come back here.
moral(y) :
  ?tr+shy {hero} was not [quite so|as] {tr} any more.
  ?tr+rash {hero} had been a bit {tr} before. Now {hero.he} [looked twice before each step|thought first and acted afterward|was more careful].
  ?tr+bold Even {tr.a} child needs a friend, thought {hero}, and {hero.he} was glad of {y}.
  ?tr+kind "You really are {tr}, {hero}," said {y}, and it was true.
  ?tr+keen Being {tr} had been a great help to {hero} that day.
  2: <learned> that <lesson>.
  "You know what?" said {y}. "[That was better than a birthday|I wouldn't change a thing|We make a good team]."
  ?tr+shy For once {hero} had not been too {tr} to speak. {y} had noticed.
  ?tr+rash "And you weren't {tr} at all," said {y}. {hero} was as surprised as anyone.
  ?tr+bold {hero} was as {tr} as ever, but a little wiser.
  ?tr+kind Some people are {tr} only when it's easy. {hero} was not one of them.
  ?tr+keen "I wish I were as {tr} as you," said {y}. {hero} [laughed|went pink].

learned = {hero} had learned|{hero} knew now|It was clear to {hero}|^As the old people say, it turned out|^{hero} told everyone|{hero} thought about it for a long time and decided|If there was anything to learn, it was|That was the day when {hero} found out

lesson :
  ?lesson=truth [telling the truth makes the heart light|a mistake is only a mistake, but a lie grows|the truth is easier to carry than a secret|being honest is hard for a minute and easy for ever after]
  ?lesson=patience [good things take time|nothing grows faster for being shouted at|patience is a kind of magic|the third try is often the best]
  ?lesson=help [it helps to ask for help|four eyes see more than two|courage is easier in company|nobody has to do everything alone]
  ?lesson=friend [a friend is worth more than any toy|it is better to share than to win|saying sorry first is not losing|two can laugh louder than one|a friend is somebody who comes back]
